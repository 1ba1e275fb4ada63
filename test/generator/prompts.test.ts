import { render } from "@inquirer/testing";
import { describe, expect, it } from "vitest";
import { resolveAnswers } from "../../generator/answers";
import { inquirerPrompter } from "../../generator/inquirer-prompter";
import { askOpenQuestions, confirmPlan, type Prompter, reopenAnswer } from "../../generator/prompts";
import { fakePrompter, noPrompts } from "./support/fake-prompts";
import { given } from "./support/given";
import { sampleTable } from "./support/sample-table";

const nowhere = { folder: undefined };

/** One real question on a terminal that the test types into. */
const onTerminal = <Q, V>(question: Q, ask: (prompter: Prompter, question: Q) => Promise<V>) =>
  render(
    ((config: Q, context: { input: NodeJS.ReadableStream; output: NodeJS.WritableStream }) =>
      ask(inquirerPrompter(context), config)) as never,
    question as never,
  );

/** Inquirer draws a moment after a key. */
const until = async (holds: () => boolean): Promise<void> => {
  for (let turn = 0; turn < 500 && !holds(); turn++) await new Promise((resolve) => setTimeout(resolve, 5));
};

describe("a question on a terminal", () => {
  const question = {
    message: "Name?",
    validate: (value: string): true | string => /^[a-z]+$/.test(value) || "Use a-z",
  };

  it("returns the input", async () => {
    const { answer, events, getScreen } = await onTerminal(question, (prompter, q) => prompter.text(q));
    await until(() => getScreen().includes("Name?"));
    events.type("orders");
    events.keypress("enter");
    await expect(answer).resolves.toBe("orders");
    expect(getScreen()).toContain("Name? orders");
  });

  it("explains what is allowed after an invalid answer, and asks again", async () => {
    const { answer, events, getScreen } = await onTerminal(question, (prompter, q) => prompter.text(q));
    await until(() => getScreen().includes("Name?"));
    events.type("1");
    events.keypress("enter");
    await until(() => getScreen().includes("Use a-z"));
    expect(getScreen()).toContain("Use a-z");
    events.keypress("backspace");
    events.type("orders");
    events.keypress("enter");
    await expect(answer).resolves.toBe("orders");
  });

  it("supports the arrow keys, and starts at the default", async () => {
    const choices = ["a", "b", "c"].map((value) => ({ value, name: value.toUpperCase() }));
    const { answer, events, getScreen } = await onTerminal(
      { message: "Which?", choices, default: "b" },
      (prompter, q) => prompter.choice(q),
    );
    await until(() => getScreen().includes("C"));
    events.keypress("down");
    events.keypress("enter");
    await expect(answer).resolves.toBe("c");
  });

  it("accepts yes and no", async () => {
    const { answer, events, getScreen } = await onTerminal({ message: "Sure?", default: true }, (prompter, q) =>
      prompter.flag(q),
    );
    await until(() => getScreen().includes("Sure?"));
    events.type("n");
    events.keypress("enter");
    await expect(answer).resolves.toBe(false);
  });

  it("ends as canceled on Ctrl-C", async () => {
    const { answer, events, getScreen } = await onTerminal(question, (prompter, q) => prompter.text(q));
    await until(() => getScreen().includes("Name?"));
    const ended = expect(answer).rejects.toMatchObject({ exitCode: 130, message: "canceled: nothing was written" });
    events.keypress({ name: "c", ctrl: true });
    await ended;
  });
});

describe("the questions", () => {
  it("cover unanswered rows with a question, in the order of the table", async () => {
    const prompter = fakePrompter({
      "Name?": ["orders"],
      "What for?": ["Orders"],
      "Where?": ["fargate"],
      "Chaos?": [true],
    });
    const asked = await askOpenQuestions(sampleTable, given({}), nowhere, prompter);
    expect(prompter.asked).toEqual(["Name?", "What for?", "Where?", "Chaos?"]);
    expect({ ...resolveAnswers(sampleTable, asked, nowhere).answers }).toEqual({
      name: "orders",
      description: "Orders",
      capacity: "fargate",
      region: "eu-central-1",
      chaos: true,
    });
  });

  it("skip values from flags, the file or the folder, and depend on earlier answers", async () => {
    const prompter = fakePrompter({ "Where?": ["ec2"], "Which instances?": ["m5.large"] });
    const said = given({ flag: { chaos: false }, file: { description: "Orders" } });
    const asked = await askOpenQuestions(sampleTable, said, { folder: "orders" }, prompter);
    expect(resolveAnswers(sampleTable, asked, { folder: "orders" }).answers).toMatchObject({
      instanceType: "m5.large",
    });
  });

  it("are not asked when every answer is known", async () => {
    const said = given({
      flag: { name: "orders", description: "x", capacity: "ec2", instanceType: "t3.small", chaos: true },
    });
    await expect(askOpenQuestions(sampleTable, said, nowhere, noPrompts)).resolves.toBeDefined();
  });

  it("use the same message as the gate for allowed values", async () => {
    const prompter = fakePrompter({ "Name?": ["Orders!"] });
    await expect(askOpenQuestions(sampleTable, given({}), nowhere, prompter)).rejects.toThrow(
      "Name?: Use 2 to 8 of a-z, for example orders",
    );
  });

  it("end with one that allows changing every answer", async () => {
    const answers = resolveAnswers(sampleTable, given({ flag: { name: "orders" } }), nowhere).answers;
    const confirm = (answer: string) =>
      confirmPlan(sampleTable, answers, "Write?", fakePrompter({ "Write?": [answer] }));
    await expect(confirm("yes")).resolves.toEqual({ write: true });
    await expect(confirm("no")).resolves.toEqual({ write: false });
    await expect(confirm("reopen region")).resolves.toEqual({ write: false, reopen: "region" });
    await expect(confirm("reopen instanceType")).rejects.toThrow("no choice");
  });
});

describe("a changed answer", () => {
  it("overrides a flag, drops answers that no longer apply, and asks the questions that now apply", async () => {
    const said = given({
      flag: { name: "orders", capacity: "ec2", instanceType: "m5.large" },
      prompt: { description: "x", chaos: false },
    });
    const first = await reopenAnswer(sampleTable, "capacity", said, nowhere, fakePrompter({ "Where?": ["fargate"] }));
    const fargate = resolveAnswers(sampleTable, first, nowhere);
    expect(fargate.problems).toEqual([]);
    expect(fargate.answers.capacity).toBe("fargate");
    expect(Object.keys(fargate.answers)).not.toContain("instanceType");

    const script = { "Where?": ["ec2"], "Which instances?": ["t3.large"] };
    const second = await reopenAnswer(sampleTable, "capacity", first, nowhere, fakePrompter(script));
    expect(resolveAnswers(sampleTable, second, nowhere).answers).toMatchObject({
      capacity: "ec2",
      instanceType: "t3.large",
    });
  });

  it("may belong to a row without a question", async () => {
    const said = given({ flag: { name: "orders" }, prompt: { description: "x", capacity: "fargate", chaos: false } });
    const again = await reopenAnswer(
      sampleTable,
      "region",
      said,
      nowhere,
      fakePrompter({ "The region.": ["eu-west-1"] }),
    );
    expect(resolveAnswers(sampleTable, again, nowhere).answers.region).toBe("eu-west-1");
  });
});
