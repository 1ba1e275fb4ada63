/**
 * Sends lines of CloudWatch Logs to OpenSearch: the code of a Lambda function, which `OpenSearchSender` zips as it is.
 * Nothing but Node.js is needed to run it.
 *
 * Each line becomes a document under the id that CloudWatch gave it, so that a batch that comes twice is stored once.
 */
import { createHash, createHmac } from "node:crypto";
import { gunzipSync } from "node:zlib";

/** Half of what the smallest domains take in one request. */
const MOST_BYTES = 5_000_000;
const ALREADY_THERE = 409;
const NOT_UNDERSTOOD = 400;

/**
 * @typedef {{ id: string, timestamp: number, message: string }} Line
 * @typedef {{ messageType: string, logGroup: string, logStream: string, logEvents: Line[] }} Batch
 * @typedef {{ status: number, error?: { type?: string } }} Answer
 */

/** @param {{ awslogs: { data: string } }} event what CloudWatch Logs sends to a function */
export async function handler(event) {
  /** @type {Batch} */
  const batch = JSON.parse(gunzipSync(Buffer.from(event.awslogs.data, "base64")).toString("utf8"));
  // CloudWatch asks whether anybody is there.
  if (batch.messageType !== "DATA_MESSAGE") return;
  /** @type {Answer[]} */
  const refused = [];
  for (const [index, lines] of byDay(batch.logEvents)) {
    const answers = await store(index, batch, lines, false);
    // A field that is a number in one line and text in the next is refused: such a line is kept as text.
    const again = lines.filter((_, at) => answers[at]?.status === NOT_UNDERSTOOD);
    const last = again.length === 0 ? [] : await store(index, batch, again, true);
    refused.push(
      ...answers.filter((answer) => failed(answer) && answer.status !== NOT_UNDERSTOOD),
      ...last.filter(failed),
    );
  }
  if (refused.length > 0) {
    // What OpenSearch says besides may quote the line, which must stay masked.
    const { status, error } = /** @type {Answer} */ (refused[0]);
    throw new Error(
      `${refused.length} of ${batch.logEvents.length} lines were refused: ${status} ${error?.type ?? ""}`,
    );
  }
}

/** @param {Answer} answer */
function failed({ status }) {
  return status >= 300 && status !== ALREADY_THERE;
}

/**
 * Lines by the index of their day, so that those of one day can be deleted at once.
 *
 * @param {Line[]} lines
 */
function byDay(lines) {
  /** @type {Map<string, Line[]>} */
  const days = new Map();
  for (const line of lines) {
    const day = new Date(line.timestamp).toISOString().slice(0, 10).replaceAll("-", ".");
    const index = `${process.env.INDEX}-${day}`;
    const others = days.get(index);
    if (others === undefined) days.set(index, [line]);
    else others.push(line);
  }
  return days;
}

/**
 * @param {string} index
 * @param {Batch} batch
 * @param {Line[]} lines
 * @param {boolean} asText
 * @returns {Promise<Answer[]>} in the order of the lines
 */
async function store(index, batch, lines, asText) {
  /** @type {Answer[]} */
  const answers = [];
  let body = "";
  let size = 0;
  for (const line of lines) {
    const next = `{"create":{"_id":${JSON.stringify(line.id)}}}\n${documentOf(batch, line, asText)}\n`;
    const more = Buffer.byteLength(next);
    if (size > 0 && size + more > MOST_BYTES) {
      answers.push(...(await send(index, body)));
      [body, size] = ["", 0];
    }
    body += next;
    size += more;
  }
  return [...answers, ...(await send(index, body))];
}

/**
 * @param {Batch} batch
 * @param {Line} line
 * @param {boolean} asText
 */
function documentOf({ logGroup, logStream }, { timestamp, message }, asText) {
  const about = { "@timestamp": new Date(timestamp).toISOString(), "@log_group": logGroup, "@log_stream": logStream };
  if (asText || !hasFields(message)) return JSON.stringify({ ...about, "@message": message });
  // Put together as text: numbers stay as they were written, however long. Between values a line end is a space.
  const fields = message
    .trim()
    .slice(1)
    .replaceAll(/[\r\n]/g, " ");
  return `${JSON.stringify(about).slice(0, -1)},${fields}`;
}

/** @param {string} message */
function hasFields(message) {
  try {
    const value = JSON.parse(message);
    return typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length > 0;
  } catch {
    return false;
  }
}

/**
 * @param {string} index
 * @param {string} body
 * @returns {Promise<Answer[]>}
 */
async function send(index, body) {
  const url = new URL(`/${index}/_bulk`, process.env.ENDPOINT);
  const response = await fetch(url, {
    method: "POST",
    headers: signed(url, body),
    body,
    signal: AbortSignal.timeout(20_000),
  });
  if (response.status === 401 || response.status === 403) {
    throw new Error(
      `${url.host} lets this function not in (${response.status}): let the role of the function write to ${index}, in the policy of the domain and, with fine-grained access control, as a backend role of a role there`,
    );
  }
  if (!response.ok) throw new Error(`${url.host} answered ${response.status}`);
  const { items } = /** @type {{ items: { create: Answer }[] }} */ (await response.json());
  return items.map(({ create }) => create);
}

/**
 * Headers of a request that is signed with the role of the function.
 *
 * @param {URL} url
 * @param {string} body
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
function signed(url, body) {
  const { REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN = "" } = process.env;
  const time = new Date().toISOString().replaceAll(/[:-]|\.\d+/g, "");
  const scope = `${time.slice(0, 8)}/${REGION}/es/aws4_request`;
  /** @type {Record<string, string>} */
  const headers = {
    "content-type": "application/x-ndjson",
    host: url.host,
    "x-amz-content-sha256": sha256(body),
    "x-amz-date": time,
    "x-amz-security-token": AWS_SESSION_TOKEN,
  };
  const names = Object.keys(headers).join(";");
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
  const request = ["POST", url.pathname, "", lines.join(""), names, sha256(body)].join("\n");
  const text = ["AWS4-HMAC-SHA256", time, scope, sha256(request)].join("\n");
  const key = scope.split("/").reduce(hmac, /** @type {string | Buffer} */ (`AWS4${AWS_SECRET_ACCESS_KEY}`));
  const signature = hmac(key, text).toString("hex");
  return {
    ...headers,
    authorization: `AWS4-HMAC-SHA256 Credential=${AWS_ACCESS_KEY_ID}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
  };
}

/** @param {string} text */
function sha256(text) {
  return createHash("sha256").update(text).digest("hex");
}

/**
 * @param {string | Buffer} key
 * @param {string} text
 */
function hmac(key, text) {
  return createHmac("sha256", key).update(text).digest();
}
