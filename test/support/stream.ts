import { gunzipSync } from "node:zlib";
import type { AwsCaller } from "./aws-call";

/** Lines as CloudWatch Logs sends them: some of one log stream. */
interface Batch {
  readonly logGroup: string;
  readonly logStream: string;
  readonly subscriptionFilters: readonly string[];
  readonly logEvents: readonly { readonly message: string }[];
}

/** All batches of lines that were put into a Kinesis stream of one shard, from its beginning. */
export async function linesOf(aws: AwsCaller, streamName: string): Promise<Batch[]> {
  const { StreamDescription } = await aws.call("kinesis", "DescribeStream", { StreamName: streamName });
  const { ShardIterator } = await aws.call("kinesis", "GetShardIterator", {
    StreamName: streamName,
    ShardId: StreamDescription.Shards[0].ShardId,
    ShardIteratorType: "TRIM_HORIZON",
  });
  const { Records } = await aws.call("kinesis", "GetRecords", { ShardIterator });
  return (Records as { Data: string }[]).map(({ Data }) =>
    JSON.parse(gunzipSync(Buffer.from(Data, "base64")).toString("utf8")),
  );
}
