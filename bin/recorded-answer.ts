import { join } from "node:path";
import { ANSWERS_FILE, parseAnswersFile } from "../generator/answers-file";
import type { Context } from "../generator/context";

/** Answer that the repository in the current folder was made with; undefined if none is recorded. */
export async function recordedAnswer(
  { cwd, readText }: Pick<Context, "cwd" | "readText">,
  name: string,
): Promise<unknown> {
  const text = await readText(join(cwd, ANSWERS_FILE)).catch(() => "{}");
  return parseAnswersFile(text, ANSWERS_FILE).values.get(name);
}
