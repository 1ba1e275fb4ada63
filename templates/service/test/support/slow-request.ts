import { connect } from "node:net";

/** Sends a request whose body arrives in two parts: the service is busy with it until `finish`. */
export async function slowRequest(url: string, path: string, payload: object, headers: Record<string, string> = {}) {
  const { hostname, port } = new URL(url);
  const body = JSON.stringify(payload);
  const head = {
    host: hostname,
    "content-type": "application/json",
    "content-length": body.length,
    connection: "close",
  };
  const lines = Object.entries({ ...head, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);

  const socket = connect({ host: hostname, port: Number(port) });
  let text = "";
  socket.on("data", (data) => {
    text += data;
  });
  // If the connection is closed, returns the bytes that have arrived.
  const promise = new Promise<string>((resolve) => socket.on("error", () => {}).on("close", () => resolve(text)));
  socket.write(`POST ${path} HTTP/1.1\r\n${lines.join("")}\r\n${body.slice(0, 5)}`);
  // A response on a later connection means that this one has been read.
  await fetch(`${url}/livez`);
  return { promise, finish: () => void socket.write(body.slice(5)) };
}
