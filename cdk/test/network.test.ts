import assert from "node:assert/strict";
import { test } from "node:test";
import { ENVIRONMENTS } from "../config/index.ts";
import { manifest, NAMES, ofType, resources } from "../lib/assembly.ts";

const subnets = (name: string, kind: string) =>
  ofType(name, "AWS::EC2::Subnet").filter(({ properties }) => {
    const tags = properties.Tags as { Key: string; Value: string }[];
    return tags.some(({ Key, Value }) => Key === "aws-cdk:subnet-name" && Value === kind);
  });

test("production has three zones with a NAT gateway each, dev has one gateway", () => {
  assert.equal(ENVIRONMENTS.production?.zones.length, 3);
  for (const kind of ["public", "private", "isolated"]) assert.equal(subnets("production", kind).length, 3);
  const places = ofType("production", "AWS::EC2::NatGateway").map(({ properties }) => JSON.stringify(properties.SubnetId));
  assert.equal(new Set(places).size, 3);
  assert.equal(ofType("dev", "AWS::EC2::NatGateway").length, 1);
});

for (const name of NAMES) {
  test(`${name}: nothing is looked up in the account`, () => {
    assert.deepEqual(manifest(name).missing ?? [], []);
  });

  test(`${name}: isolated subnets have no route out of the VPC`, () => {
    const isolated = subnets(name, "isolated").map(({ id }) => id);
    const tables = ofType(name, "AWS::EC2::SubnetRouteTableAssociation")
      .filter(({ properties }) => isolated.includes(properties.SubnetId.Ref as string))
      .map(({ properties }) => properties.RouteTableId.Ref as string);
    assert.equal(tables.length, isolated.length);
    const routes = ofType(name, "AWS::EC2::Route").map(({ properties }) => properties.RouteTableId.Ref as string);
    assert.deepEqual(routes.filter((table) => tables.includes(table)), []);
  });

  test(`${name}: no subnet gives out public addresses`, () => {
    for (const { properties } of ofType(name, "AWS::EC2::Subnet")) assert.equal(properties.MapPublicIpOnLaunch, false);
  });

  test(`${name}: who may connect is a peer group or the list of callers, never an address`, () => {
    const inline = ofType(name, "AWS::EC2::SecurityGroup").flatMap(({ properties }) => (properties.SecurityGroupIngress ?? []) as object[]);
    const rules = [...inline, ...ofType(name, "AWS::EC2::SecurityGroupIngress").map(({ properties }) => properties as object)];
    assert.ok(rules.length > 10);
    for (const rule of rules) {
      assert.ok(!("CidrIp" in rule) && !("CidrIpv6" in rule), JSON.stringify(rule));
      assert.ok("SourceSecurityGroupId" in rule || "SourcePrefixListId" in rule, JSON.stringify(rule));
    }
  });

  test(`${name}: data takes connections from those who need it only`, () => {
    const into = (group: string) =>
      ofType(name, "AWS::EC2::SecurityGroupIngress")
        .filter(({ properties }) => (properties.GroupId["Fn::GetAtt"] as string[])[0]?.startsWith(group))
        .map(({ properties }) => `${String((properties.SourceSecurityGroupId["Fn::GetAtt"] as string[])[0]).replace(/[0-9A-F]{8}$/, "")}:${String(properties.FromPort)}`)
        .sort();
    assert.deepEqual(into("databaseproxy"), ["lambdas:5432"]);
    assert.deepEqual(into("database").filter((rule) => !rule.startsWith("lambdas")), ["databaseproxy:5432", "nodes:5432", "rotation:5432"]);
    assert.deepEqual(into("redis"), ["lambdas:6379", "nodes:6379"]);
  });

  test(`${name}: AWS services are reached without NAT`, () => {
    const services = ofType(name, "AWS::EC2::VPCEndpoint").map(({ properties }) => {
      const service = properties.ServiceName as unknown;
      const text = typeof service === "string" ? service : JSON.stringify(service);
      return `${String(properties.VpcEndpointType)} ${/\.([a-z0-9.]+?)"?[\])}]*$/.exec(text.replace(/.*us-east-1/, ""))?.[1] ?? text}`;
    });
    const expected = ["Gateway dynamodb", "Gateway s3", ...["ecr.api", "ecr.dkr", "logs", "secretsmanager", "sqs", "sts"].map((it) => `Interface ${it}`)];
    assert.deepEqual(services.sort(), expected);
  });

  test(`${name}: all traffic is in the flow logs`, () => {
    const [log] = ofType(name, "AWS::EC2::FlowLog");
    assert.equal(log?.properties.TrafficType, "ALL");
  });

  test(`${name}: no Lambda of CDK's own runs in the account`, () => {
    const types = new Set(resources(name).map(({ type }) => type));
    for (const type of ["AWS::Lambda::Function", "AWS::CloudFormation::CustomResource"]) assert.ok(!types.has(type), type);
    assert.deepEqual([...types].filter((type) => type.startsWith("Custom::")), []);
  });
}
