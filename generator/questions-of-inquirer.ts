/** The questions that are asked: what else inquirer has, such as a text editor, stays out of the executable. */
export { checkbox, confirm, input, select } from "@inquirer/prompts";
