/**
 * Code of a Lambda function that sends lines from CloudWatch Logs to OpenSearch. `OpenSearchSender` zips it unchanged.
 * Needs nothing but Node.js.
 *
 * Each line becomes a document with the id that CloudWatch assigned, so that a batch that is delivered twice is stored once.
 */
import { createHash, createHmac } from "node:crypto";
import { gunzipSync } from "node:zlib";

/** Half of the maximum request size of the smallest domains. */
const MOST_BYTES = 5_000_000;
const ALREADY_THERE = 409;
const NOT_UNDERSTOOD = 400;

/**
 * @typedef {{ id: string, timestamp: number, message: string }} Line
 * @typedef {{ messageType: string, logGroup: string, logStream: string, logEvents: Line[] }} Batch
 * @typedef {{ status: number, error?: { type?: string } }} Answer
 */

/** @param {{ awslogs: { data: string } }} event event that CloudWatch Logs sends to a function */
export async function handler(event) {
  /** @type {Batch} */
  const batch = JSON.parse(gunzipSync(Buffer.from(event.awslogs.data, "base64")).toString("utf8"));
  // CloudWatch sends control messages to check that the function is reachable.
  if (batch.messageType !== "DATA_MESSAGE") return;
  /** @type {Answer[]} */
  const refused = [];
  for (const [index, lines] of byDay(batch.logEvents)) {
    const answers = await store(index, batch, lines, false);
    // A field that is a number in one line and text in another is rejected: such a line is stored as text.
    const again = lines.filter((_, at) => answers[at]?.status === NOT_UNDERSTOOD);
    const last = again.length === 0 ? [] : await store(index, batch, again, true);
    refused.push(
      ...answers.filter((answer) => failed(answer) && answer.status !== NOT_UNDERSTOOD),
      ...last.filter(failed),
    );
  }
  if (refused.length > 0) {
    // The rest of the error may quote the line, which must stay masked.
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
 * Groups lines by the index of their day, so that the lines of a day can be deleted together.
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
  // Concatenated as text, so that numbers of any length stay unchanged. Line breaks between values become spaces.
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
      `${url.host} denied access to this function (${response.status}): allow the role of the function to write to ${index} in the access policy of the domain and, with fine-grained access control, map it to a role of the domain as a backend role`,
    );
  }
  if (!response.ok) throw new Error(`${url.host} responded with ${response.status}`);
  const { items } = /** @type {{ items: { create: Answer }[] }} */ (await response.json());
  return items.map(({ create }) => create);
}

/**
 * Returns the headers of a request, signed with the role of the function.
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
