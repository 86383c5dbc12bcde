import assert from "node:assert/strict";
import { test } from "node:test";
import { ENVIRONMENTS } from "../config/index.ts";
import { NAMES, ofType } from "../lib/assembly.ts";
import { statements } from "./policies.ts";

const ISSUER = "token.actions.githubusercontent.com";

for (const name of NAMES) {
  test(`${name}: each workflow is one branch, environment or event of our repository`, () => {
    const { repository, branch, environment, images } = ENVIRONMENTS[name]?.github ?? assert.fail();
    const trusted = statements(name).filter(({ type, condition }) => type === "AWS::IAM::Role" && JSON.stringify(condition).includes(ISSUER));
    for (const { condition } of trusted) {
      assert.deepEqual(Object.keys(condition), ["StringEquals"]);
      assert.equal(condition.StringEquals?.[`${ISSUER}:aud`], "sts.amazonaws.com");
      assert.ok(!String(condition.StringEquals[`${ISSUER}:sub`]).includes("*"));
    }
    const expected = {
      "cd-app": `ref:refs/heads/${branch}`,
      promote: "environment:production",
      "cdk-diff": "pull_request",
      "cdk-deploy": `environment:${environment}`,
    };
    const roles = Object.fromEntries(trusted.map(({ of, condition }) => [of.replace(/[0-9A-F]{8}$/, ""), condition.StringEquals?.[`${ISSUER}:sub`]]));
    // Into production nothing comes without an approval: the branch has no role there.
    const here = Object.entries(expected).filter(([workflow]) => workflow !== "cd-app" || images === "built");
    assert.deepEqual(roles, Object.fromEntries(here.map(([workflow, of]) => [workflow.replaceAll("-", ""), `repo:${repository}:${of}`])));
    assert.equal(images, name === "production" ? "promoted" : "built");
  });

  test(`${name}: a promotion reads in dev and writes in production`, () => {
    const actions = statements(name).filter(({ of, type }) => type === "AWS::IAM::Policy" && of.startsWith("promote")).flatMap((statement) => statement.actions);
    assert.equal(actions.includes("ecr:PutImage"), name === "production");
    assert.ok(actions.includes("ecr:BatchGetImage"));
  });

  test(`${name}: a pull request can change nothing`, () => {
    const own = statements(name).filter(({ of, type }) => type === "AWS::IAM::Policy" && of.startsWith("cdkdiff"));
    assert.deepEqual(own.map(({ actions }) => actions), [["sts:AssumeRole"]]);
    assert.ok(own.every(({ resources }) => resources.length === 1 && JSON.stringify(resources).includes("-lookup-role-")));
  });

  test(`${name}: an image that was pushed stays what it is, and is scanned`, () => {
    const [repository] = ofType(name, "AWS::ECR::Repository");
    assert.equal(repository?.properties.ImageTagMutability, "IMMUTABLE");
    assert.equal(repository.properties.ImageScanningConfiguration.ScanOnPush, true);
    assert.ok(repository.properties.LifecyclePolicy);
    assert.equal(repository.deletionPolicy, "Retain");
  });

  test(`${name}: nodes and our Lambdas may pull, and nobody else`, () => {
    const pulling = statements(name).filter(({ type }) => type === "AWS::ECR::Repository");
    assert.equal(pulling.length, 2);
    for (const { actions } of pulling) assert.deepEqual(actions, ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]);
    assert.match(JSON.stringify(pulling[1]?.condition), /aws:SourceArn.*:function:task-app-\*/);
  });
}
