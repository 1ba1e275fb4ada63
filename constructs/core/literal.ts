import { Fn } from "cdktf";

/** Marker that cdktf writes into a string in place of a reference, before synth. */
const TOKEN = /(\$\{TfToken\[[a-zA-Z0-9:._-]+\]\})/;

/** Text with references in it, as an argument of Terraform's functions; `Fn` accepts only one or the other. */
export function asArgument(text: string): string {
  const parts = text.split(TOKEN).filter((part) => part !== "");
  return parts.length === 1 ? text : Fn.join("", parts);
}

/**
 * Escapes a user's text for Terraform: tokens stay references, and a literal `${` or `%{` stays text.
 *
 * cdktf passes strings through unchanged; without this function, `terraform plan` would evaluate `${file("/etc/hostname")}`
 * in a prop. Call it once, where a prop enters a construct. The result must not be escaped again.
 *
 * @see https://developer.hashicorp.com/terraform/language/expressions/strings#escape-sequences-1
 */
export function literal(text: string): string {
  const parts = text.split(TOKEN);
  return parts
    .map((part, index) => {
      if (index % 2 === 1) return part;
      const escaped = part.replaceAll(/[$%](?=\{)/g, (sign) => sign + sign);
      // A dollar sign directly before a reference would turn the reference into text.
      return index < parts.length - 1 && escaped.endsWith("$") ? `${escaped.slice(0, -1)}\${"$"}` : escaped;
    })
    .join("");
}
