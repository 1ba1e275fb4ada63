/** How cdktf writes a reference into a string before synth. */
const TOKEN = /(\$\{TfToken\[[a-zA-Z0-9:._-]+\]\})/;

/**
 * The user's text as Terraform will read it: tokens stay references, a literal `${` or `%{` stays text.
 *
 * cdktf passes strings through, so without this `${file("/etc/hostname")}` in a prop is evaluated by `terraform plan`.
 * Called once, where a prop enters a construct; what is passed on is never escaped again.
 *
 * @see https://developer.hashicorp.com/terraform/language/expressions/strings#escape-sequences-1
 */
export function literal(text: string): string {
  const parts = text.split(TOKEN);
  return parts
    .map((part, index) => {
      if (index % 2 === 1) return part;
      const escaped = part.replaceAll(/[$%](?=\{)/g, (sign) => sign + sign);
      // A dollar sign right before a reference would turn the reference into text.
      return index < parts.length - 1 && escaped.endsWith("$") ? `${escaped.slice(0, -1)}\${"$"}` : escaped;
    })
    .join("");
}
