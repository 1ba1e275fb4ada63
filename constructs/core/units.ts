import { checkArguments } from "./check-types";

/** A duration, at least zero. */
export class Duration {
  private constructor(private readonly milliseconds: number) {}

  static millis(amount: number): Duration {
    checkArguments("Duration.millis", { amount });
    return Duration.#of(amount, 1, "milliseconds");
  }
  static seconds(amount: number): Duration {
    checkArguments("Duration.seconds", { amount });
    return Duration.#of(amount, 1_000, "seconds");
  }
  static minutes(amount: number): Duration {
    checkArguments("Duration.minutes", { amount });
    return Duration.#of(amount, 60_000, "minutes");
  }
  static hours(amount: number): Duration {
    checkArguments("Duration.hours", { amount });
    return Duration.#of(amount, 3_600_000, "hours");
  }
  static days(amount: number): Duration {
    checkArguments("Duration.days", { amount });
    return Duration.#of(amount, 86_400_000, "days");
  }

  static #of(amount: number, unit: number, name: string): Duration {
    if (!Number.isFinite(amount) || amount < 0) {
      throw new RangeError(`Duration.${name}(${amount}): use a finite number >= 0`);
    }
    return new Duration(amount * unit);
  }

  toMillis(): number {
    return this.milliseconds;
  }
  toSeconds(): number {
    return this.milliseconds / 1_000;
  }
  toMinutes(): number {
    return this.milliseconds / 60_000;
  }
  toHours(): number {
    return this.milliseconds / 3_600_000;
  }
  toDays(): number {
    return this.milliseconds / 86_400_000;
  }

  /** Formats the duration in the largest unit that gives a whole number: `90 s`, `2 min`, `30 d`. */
  toString(): string {
    const units: [number, string][] = [
      [86_400_000, "d"],
      [3_600_000, "h"],
      [60_000, "min"],
      [1_000, "s"],
    ];
    for (const [size, unit] of units) {
      if (this.milliseconds >= size && this.milliseconds % size === 0) return `${this.milliseconds / size} ${unit}`;
    }
    return `${this.milliseconds} ms`;
  }
}
