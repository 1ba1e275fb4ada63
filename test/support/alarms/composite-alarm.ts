import type { AlarmState } from "./metric-alarm";

const TOKEN =
  /\s*(?:(AND|OR|NOT|TRUE|FALSE)\b|(ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:"([^"]+)"|([^)"\s]+))\s*\)|([()]))/y;

/**
 * Decides the state of a composite alarm from its rule and the states of the alarms that the rule names.
 *
 * @param stateOf state of an alarm by its name or ARN
 * @throws Error for a rule that cannot be read
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-combining.html
 */
export function compositeState(rule: string, stateOf: (alarm: string) => AlarmState): "OK" | "ALARM" {
  const text = rule.trim();
  let at = 0;
  const fail = (): Error =>
    new Error(`The rule ${JSON.stringify(rule)} cannot be read from ${text.slice(at).trim()} on.`);
  const peek = () => {
    TOKEN.lastIndex = at;
    return TOKEN.exec(text) ?? undefined;
  };
  const take = (word: string): boolean => {
    const token = peek();
    if (token === undefined || (token[1] ?? token[5]) !== word) return false;
    at += token[0].length;
    return true;
  };
  const either = (): boolean => {
    let value = both();
    // Both sides are read, whatever the first is.
    while (take("OR")) value = both() || value;
    return value;
  };
  const both = (): boolean => {
    let value = one();
    while (take("AND")) value = one() && value;
    return value;
  };
  const one = (): boolean => {
    if (take("NOT")) return !one();
    if (take("TRUE")) return true;
    if (take("FALSE")) return false;
    if (take("(")) {
      const value = either();
      if (!take(")")) throw fail();
      return value;
    }
    const token = peek();
    const [whole, , state, quoted, bare] = token ?? [];
    if (whole === undefined || state === undefined) throw fail();
    at += whole.length;
    return stateOf((quoted ?? bare) as string) === state;
  };
  const value = either();
  if (at < text.length) throw fail();
  return value ? "ALARM" : "OK";
}
