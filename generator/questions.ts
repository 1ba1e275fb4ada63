/** Questions on a terminal, without the rest of inquirer, which is a third of what these take. */
export { default as checkbox } from "@inquirer/checkbox";
export { default as confirm } from "@inquirer/confirm";
export { default as input } from "@inquirer/input";
export { default as select } from "@inquirer/select";
