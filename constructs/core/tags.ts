import type { IConstruct } from "constructs";
import { Problems } from "./errors";
import { literal } from "./literal";
import { isReference } from "./reference";

type Tags = Readonly<Record<string, string>>;

/**
 * Characters that every AWS service accepts in tags; EC2 alone accepts more.
 *
 * @see https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
 */
const CHARACTERS = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
const ALLOWED = "letters, digits, spaces and _ . : / = + - @";
const MAX_KEY = 128;
const MAX_VALUE = 256;
/** Of the 50 tags that AWS allows on a resource, a stack sets three, and constructs set two more, as Name. */
const MAX_TAGS = 45;

/**
 * Tags of a user with those that a stack sets itself. The user's win, also where only the case of a key differs: keys of
 * IAM are equal then, and AWS would refuse both.
 *
 * @throws InvalidPropsError TAGS_COUNT, TAGS_KEY, TAGS_VALUE
 */
export function resolveTags(scope: IConstruct, own: Tags, tags: Tags = {}): Tags {
  const problems = new Problems(scope);
  const keys = Object.keys(tags);
  problems.check(keys.length <= MAX_TAGS, {
    code: "TAGS_COUNT",
    prop: "tags",
    problem: `must have at most ${MAX_TAGS} tags, got ${keys.length}`,
    remedy: "Remove tags: AWS allows 50 on a resource, including those that antifragile sets.",
  });
  keys.forEach((key, index) => {
    const place = { code: "TAGS_KEY", prop: `tags[${JSON.stringify(key)}]` };
    const same = keys.slice(0, index).find((other) => other.toLowerCase() === key.toLowerCase());
    if (same !== undefined) {
      const problem = `must differ from ${JSON.stringify(same)} by more than the case, because IAM ignores the case of keys`;
      problems.add({ ...place, problem, remedy: "Remove one of the two." });
    }
    if (key.toLowerCase().startsWith("aws:")) {
      const problem = "must not begin with aws:, which AWS reserves for its own tags";
      problems.add({ ...place, problem, remedy: "Rename the key." });
    } else if (key.length < 1 || key.length > MAX_KEY || !CHARACTERS.test(key) || key.trim() !== key) {
      const problem = `must have a key of 1 to ${MAX_KEY} characters, without a space at its ends: ${ALLOWED}`;
      problems.add({ ...place, problem, remedy: "Rename the key." });
    }
    const value = tags[key] ?? "";
    if (isReference(value)) return;
    problems.check(value.length <= MAX_VALUE && CHARACTERS.test(value), {
      code: "TAGS_VALUE",
      prop: `tags[${JSON.stringify(key)}]`,
      problem: `must be at most ${MAX_VALUE} characters long, of ${ALLOWED}, got ${JSON.stringify(value)}`,
      remedy: 'Use other characters, such as "and" for &.',
    });
  });
  problems.throwIfAny();
  const given = new Set(keys.map((key) => key.toLowerCase()));
  return {
    ...Object.fromEntries(Object.entries(own).filter(([key]) => !given.has(key.toLowerCase()))),
    ...Object.fromEntries(Object.entries(tags).map(([key, value]) => [key, literal(value)])),
  };
}
