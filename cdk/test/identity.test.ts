import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { NAMES, ofType, resources } from "../lib/assembly.ts";
import { BACKUP_COMMANDS, FUNCTION_NAMES } from "../lib/functions.ts";
import { CONTROLLERS } from "../lib/identity/controllers.ts";
import { statements } from "./policies.ts";

const FUNCTIONS = new URL("../../functions/", import.meta.url);

/** What AWS does not limit to a resource. Anything else on `*` is a mistake. */
const UNLIMITED = /^(ec2:(Describe|Get)|autoscaling:Describe|elasticloadbalancing:Describe|acm:(Describe|List)|lambda:(Get|List)|ecr:GetAuthorizationToken$|sqs:ListQueues$|xray:Put)/;
/** On `*`, but under a condition or beside a denial that limits them. */
const LIMITED = /^(lambda:(Create|Update|Delete)EventSourceMapping|ec2:(Create|Delete)NetworkInterface|ec2:(Assign|Unassign)PrivateIpAddresses)$/;

const BACKUPS = BACKUP_COMMANDS.map((command) => `backup-${command}`);

test("every function of `functions/` has a role, and no other", () => {
  const crates = readdirSync(FUNCTIONS).filter((name) => name !== "task-app" && existsSync(new URL(`${name}/Cargo.toml`, FUNCTIONS)));
  assert.deepEqual(crates.sort(), [...FUNCTION_NAMES].sort());
});

for (const name of NAMES) {
  const roles = new Map(ofType(name, "AWS::IAM::Role").filter(({ properties }) => properties.RoleName as unknown).map((role) => [role.properties.RoleName as string, role]));

  test(`${name}: one role serves a pod and a Lambda`, () => {
    for (const called of FUNCTION_NAMES) {
      const trust = roles.get(`task-app-${called}`)?.properties.AssumeRolePolicyDocument.Statement as { Principal: unknown; Action: unknown; Condition?: { StringEquals: Record<string, string> } }[];
      const pod = trust.find(({ Condition }) => Condition);
      assert.equal(pod?.Condition?.StringEquals["aws:RequestTag/kubernetes-service-account"], called);
      assert.deepEqual(pod.Principal, { Service: "pods.eks.amazonaws.com" });
      assert.ok(trust.some(({ Principal }) => JSON.stringify(Principal) === '{"Service":"lambda.amazonaws.com"}'));
    }
    const associated = ofType(name, "AWS::EKS::PodIdentityAssociation").map(({ properties }) => properties.ServiceAccount as string);
    assert.deepEqual(associated.sort(), [...FUNCTION_NAMES, ...BACKUPS].sort());
  });

  test(`${name}: no action is a wildcard`, () => {
    for (const { of, type, effect, actions } of statements(name)) {
      // Of a key itself: `kms:*` for the account, which AWS gives every key, and the two families of its uses.
      const found = actions.filter((action) => action.includes("*") && !(type === "AWS::KMS::Key" && /^kms:(\*|GenerateDataKey\*|ReEncrypt\*)$/.test(action)));
      if (effect === "Allow") assert.deepEqual(found, [], of);
    }
  });

  test(`${name}: no resource is a wildcard where AWS has a narrower one`, () => {
    const policies = statements(name).filter(({ type, effect }) => effect === "Allow" && ["AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"].includes(type));
    assert.ok(policies.length > 40);
    for (const { of, actions, resources: on, condition } of policies) {
      if (!on.includes("*")) continue;
      for (const action of actions) {
        const denied = of.startsWith("lambdanetwork");
        const limited = LIMITED.test(action) && (denied || Object.keys(condition).length > 0);
        assert.ok(UNLIMITED.test(action) || limited, `${of}: ${action} on *`);
      }
    }
  });

  test(`${name}: a function names each queue, table and secret, and no bucket as a whole`, () => {
    for (const called of FUNCTION_NAMES) {
      const own = statements(name).filter(({ of, type }) => type === "AWS::IAM::Policy" && of.startsWith(`${called.replaceAll("-", "")}DefaultPolicy`));
      assert.ok(own.length > 0, called);
      for (const { actions, resources: on } of own) {
        if (actions.join() === "sqs:ListQueues") continue;
        for (const resource of on.map((it) => JSON.stringify(it))) {
          const kinds = /^(s3|logs):/.test(actions[0] ?? "") ? /\*"/ : /(?!)/;
          if (resource.includes("*")) assert.match(resource, kinds, `${called}: ${resource}`);
        }
      }
    }
  });

  test(`${name}: neither code nor pods use what Lambda needs for the VPC`, () => {
    const [allow, code, pods] = statements(name).filter(({ of }) => of.startsWith("lambdanetwork"));
    assert.equal(allow?.effect, "Allow");
    for (const denial of [code, pods]) {
      assert.equal(denial?.effect, "Deny");
      assert.deepEqual(denial.actions, allow.actions);
    }
    assert.ok(code?.condition.ArnLike?.["lambda:SourceFunctionArn"]);
    assert.deepEqual(pods?.condition, { Null: { "aws:PrincipalTag/kubernetes-namespace": "false" } });
  });

  test(`${name}: what a backup wrote, its role cannot read or delete`, () => {
    const own = statements(name).filter(({ of, actions }) => of.startsWith("backupDefaultPolicy") && actions.some((action) => action.startsWith("s3:")));
    assert.deepEqual(own.map(({ actions }) => actions.sort()), [["s3:AbortMultipartUpload", "s3:PutObject"]]);
  });

  test(`${name}: what looks after backups is pods only, each with its own rights`, () => {
    const bucket = (key: string) => `:s3:::task-backups-…${key}`;
    const expected = {
      "backup-verify": [`s3:ListBucket ${bucket("")}`, `s3:GetObject ${bucket("/postgresql/*")}`, `s3:PutObject ${bucket("/postgresql/*/verification.json")}`],
      "backup-prune": [
        `s3:ListBucket,s3:ListBucketMultipartUploads,s3:ListBucketVersions ${bucket("")}`,
        `s3:GetObject ${bucket("/postgresql/*/manifest.json")} ${bucket("/postgresql/*/verification.json")}`,
        `s3:AbortMultipartUpload,s3:DeleteObject,s3:DeleteObjectVersion ${bucket("/postgresql/*")}`,
      ],
      "backup-monitor": [`s3:ListBucket ${bucket("")}`, `s3:GetObject ${bucket("/postgresql/*/manifest.json")} ${bucket("/postgresql/*/verification.json")}`],
    };
    const plain = (resource: unknown) => JSON.stringify(resource).replace(/.*(:s3:::)/, "$1").replace(/(task-backups-)[^/"]*/, "$1…").replace(/"\]*\}*$/, "");
    for (const [called, rights] of Object.entries(expected)) {
      const own = statements(name).filter(({ of, type }) => type === "AWS::IAM::Policy" && of.startsWith(`${called.replaceAll("-", "")}DefaultPolicy`));
      const ofObjects = own.filter(({ actions }) => actions.some((action) => action.startsWith("s3:")));
      assert.deepEqual(ofObjects.map(({ actions, resources: on }) => `${actions.join()} ${on.map(plain).join(" ")}`), rights, called);
      const others = own.filter((statement) => !ofObjects.includes(statement)).flatMap(({ actions }) => actions);
      assert.deepEqual(others, called === "backup-verify" ? ["dynamodb:Query"] : [], called);
      const trust = roles.get(`task-app-${called}`)?.properties.AssumeRolePolicyDocument.Statement as { Principal: unknown; Condition: { StringEquals: Record<string, string> } }[];
      assert.deepEqual(trust.map(({ Principal }) => Principal), [{ Service: "pods.eks.amazonaws.com" }], called);
      assert.equal(trust[0]?.Condition.StringEquals["aws:RequestTag/kubernetes-service-account"], called);
      assert.equal(roles.get(`task-app-${called}`)?.properties.ManagedPolicyArns, undefined);
    }
  });

  test(`${name}: each controller is one service account`, () => {
    for (const [called, { namespace, serviceAccount }] of Object.entries(CONTROLLERS)) {
      const trust = JSON.stringify(roles.get(`task-app-${called}`)?.properties.AssumeRolePolicyDocument);
      assert.ok(trust.includes(`system:serviceaccount:${namespace}:${serviceAccount}\\"`), trust);
      assert.ok(trust.includes("sts.amazonaws.com"));
      assert.ok(!trust.includes("StringLike"));
    }
  });

  test(`${name}: the controllers of Lambdas let the load balancer call them, and nobody else`, () => {
    const own = (of: string) => statements(name).filter((statement) => statement.of.startsWith(`${of}DefaultPolicy`));
    const permissions = own("acklambda").filter(({ actions }) => actions.some((action) => action.endsWith("Permission")));
    assert.deepEqual(permissions.map(({ condition }) => condition), [{ StringEquals: { "lambda:Principal": "elasticloadbalancing.amazonaws.com" } }]);
    const changes = own("ackelbv2").filter(({ actions }) => !actions.every((action) => action.includes(":Describe")));
    assert.equal(changes.length, 1);
    for (const { resources: on } of changes) assert.match(JSON.stringify(on), /:targetgroup\/task-app-\*\/\*/);
  });

  test(`${name}: secrets are read by name, and decrypted for that only`, () => {
    for (const { of, type, actions, resources: on, condition } of statements(name)) {
      if (type !== "AWS::IAM::Policy" || !actions.some((action) => /^(secretsmanager|kms):/.test(action))) continue;
      if (of.startsWith("proxy")) continue;
      assert.ok(!JSON.stringify(on).includes("*"), of);
      if (actions.includes("kms:Decrypt")) assert.ok(condition.StringEquals?.["kms:ViaService"], of);
    }
  });

  test(`${name}: there is no user and no key of one`, () => {
    const found = resources(name).filter(({ type }) => ["AWS::IAM::User", "AWS::IAM::AccessKey", "AWS::IAM::Group"].includes(type));
    assert.deepEqual(found, []);
  });
}
