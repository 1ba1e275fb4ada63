import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Program } from "../iam/resolve";
import { rolesIn, trustPolicies } from "../iam/roles";
import { AwsCaller, field } from "./aws-call";

/** Access key with which the emulator takes a caller for CodeBuild. */
export const CODEBUILD = "codebuild.amazonaws.com";

/** Creates roles of a program in an account of an emulator, and with `policies` what they may do. */
export async function createRoles(
  url: string,
  { account, program, policies, isOne }: { account: string; program: Program; policies: boolean; isOne?: RegExp },
): Promise<void> {
  const aws = new AwsCaller(url, "eu-central-1", account);
  const roles = rolesIn(program);
  for (const { name: RoleName, policy } of trustPolicies(program)) {
    if (isOne?.test(RoleName) === false) continue;
    await aws.call("iam", "CreateRole", { RoleName, AssumeRolePolicyDocument: JSON.stringify(policy) });
    if (!policies) continue;
    for (const { name, policy: own } of roles.find((each) => each.name === RoleName)?.policies ?? []) {
      const PolicyDocument = JSON.stringify(own);
      await aws.call("iam", "PutRolePolicy", { RoleName, PolicyName: name, PolicyDocument });
    }
  }
}

/** Assumes a role, and returns the answer of AWS. */
export const assumeRole = (url: string, accessKey: string, RoleArn: string): Promise<string> =>
  new AwsCaller(url, "eu-central-1", accessKey).call("sts", "AssumeRole", { RoleArn, RoleSessionName: "test" });

/**
 * Program that serves credentials, in a process of its own: the AWS SDKs wait for five seconds, and tests can keep theirs busy for longer.
 * For a token, and then for the name of the role, the metadata service answers with a text.
 */
const SERVER = `
const server = require("node:http").createServer(({ method, url }, response) => {
  response.setHeader("x-aws-ec2-metadata-token-ttl-seconds", "21600");
  if (method === "PUT" || url.endsWith("/security-credentials/")) return void response.end("agents");
  response.setHeader("content-type", "application/json");
  response.end(process.env.CREDENTIALS);
});
process.stdin.resume().on("close", () => process.exit());
server.listen(0, "127.0.0.1", () => process.stdout.write(String(server.address().port)));
`;

/**
 * Serves the credentials of a role on loopback, as the agent of a container does, and as the metadata service of an instance.
 *
 * @param service AWS service that assumes the role
 */
export async function serveCredentials(url: string, service: string, roleArn: string) {
  const answer = await assumeRole(url, service, roleArn);
  const [AccessKeyId, SecretAccessKey, Token, Expiration] = [
    "AccessKeyId",
    "SecretAccessKey",
    "SessionToken",
    "Expiration",
  ].map((name) => field(answer, name));
  const credentials = JSON.stringify({ Code: "Success", AccessKeyId, SecretAccessKey, Token, Expiration });
  const server = spawn(process.execPath, ["-e", SERVER], {
    env: { CREDENTIALS: credentials },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [port] = await once(server.stdout, "data");
  return { url: `http://127.0.0.1:${port}/`, stop: () => void server.kill() };
}

/**
 * Does something in the environment of a build with a role: CodeBuild assumes it, and tools read its credentials from an endpoint.
 *
 * @param act receives the variables of the build
 */
export async function asBuild<T>(
  url: string,
  roleArn: string,
  act: (variables: NodeJS.ProcessEnv) => Promise<T>,
): Promise<T> {
  const credentials = await serveCredentials(url, CODEBUILD, roleArn);
  try {
    return await act({
      AWS_ENDPOINT_URL: url,
      // Terraform asks for the role of a profile before it reads the other variable.
      AWS_ENDPOINT_URL_STS: url,
      AWS_REGION: "eu-central-1",
      AWS_CONTAINER_CREDENTIALS_FULL_URI: credentials.url,
    });
  } finally {
    credentials.stop();
  }
}
