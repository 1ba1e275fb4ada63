import { describe, expect, it } from "vitest";
import { existingAlarm } from "../../../constructs";
import { ordersStack, refusals } from "../../support/synth";

describe("an alarm of others", () => {
  it("is referenced by its ARN", () => {
    const arn = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:payments-errors";
    expect(existingAlarm(ordersStack(), arn)).toEqual({ alarmName: "payments-errors", alarmArn: arn });
  });

  it.each(["payments-errors", "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:${file(1)}", ""])(
    "refuses %j",
    (arn) => {
      expect(refusals(() => existingAlarm(ordersStack(), arn))).toEqual(["ALARM_ARN alarmArn"]);
    },
  );
});
