/** Expressions over the time series m, which is 4 and then missing, with their results. */
export const EXPRESSIONS: readonly (readonly [expression: string, result: readonly (number | undefined)[]])[] = [
  ["2 + 3 * m ^ 2", [50, undefined]],
  ["-m - 1", [-5, undefined]],
  ["(m > 3 && m < 5) || m == 0", [1, undefined]],
  ["ABS(-m) + CEIL(m / 3) + FLOOR(m / 3)", [7, undefined]],
  ["AVG([m, m * 0]) + SUM(m) - MAX(m)", [2, undefined]],
  ["IF(m, 1) * 1e2", [100, undefined]],
];

/** Expressions that are refused, with part of the message. */
export const REFUSED_EXPRESSIONS: readonly (readonly [expression: string, message: string])[] = [
  ["m +", "an end where it cannot be"],
  ["m m", '"m" where it cannot be'],
  ["m $ 2", "cannot be read from $ 2 on"],
  ["IF(m", "expected )"],
  ["FILL(m)", "expected ,"],
  ["FILL(1, 2)", "got a number"],
  ["1 + 1", "must result in one time series, got a number"],
  ["[m, m]", "got an array of time series"],
  ["[1]", "must hold time series"],
  ["IF(m, 1, 2, 3)", "takes a condition"],
  ["MAX(m, m)", "takes one argument, got 2"],
  ["[m] + [m]", "takes one array"],
  ["FILL(m, [m])", "a number or a time series to fill with"],
  ["RATE(m)", 'RATE in "RATE(m)" is not evaluated here. Use FILL, IF, MAX, MIN, SUM, AVG, ABS, CEIL, FLOOR.'],
];
