import assert from "node:assert/strict";
import { test } from "node:test";
import { ENVIRONMENTS } from "../config/index.ts";
import { NAMES, ofType } from "../lib/assembly.ts";

for (const name of NAMES) {
  test(`${name}: the control plane is open to named addresses only`, () => {
    const [cluster] = ofType(name, "AWS::EKS::Cluster");
    const { ResourcesVpcConfig: access } = cluster?.properties as { ResourcesVpcConfig: { EndpointPrivateAccess: boolean; PublicAccessCidrs: string[] } };
    assert.equal(access.EndpointPrivateAccess, true);
    assert.deepEqual(access.PublicAccessCidrs, ENVIRONMENTS[name]?.cluster.endpointCallers);
    for (const cidr of access.PublicAccessCidrs) assert.ok(Number(cidr.split("/")[1]) >= 16, cidr);
  });

  test(`${name}: secrets of Kubernetes are encrypted, and the control plane writes its logs`, () => {
    const [cluster] = ofType(name, "AWS::EKS::Cluster");
    assert.deepEqual(cluster?.properties.EncryptionConfig[0].Resources, ["secrets"]);
    const types = (cluster.properties.Logging.ClusterLogging.EnabledTypes as { Type: string }[]).map(({ Type }) => Type);
    assert.deepEqual(types.sort(), ["api", "audit", "authenticator", "controllerManager", "scheduler"]);
    assert.equal(cluster.properties.AccessConfig.AuthenticationMode, "API");
    assert.equal(cluster.properties.AccessConfig.BootstrapClusterCreatorAdminPermissions, false);
  });

  test(`${name}: nodes are private, and pods cannot have their role`, () => {
    const [nodes] = ofType(name, "AWS::EKS::Nodegroup");
    for (const subnet of nodes?.properties.Subnets as { "Fn::ImportValue": string }[]) assert.match(subnet["Fn::ImportValue"], /privateSubnet/);
    const [template] = ofType(name, "AWS::EC2::LaunchTemplate");
    const { MetadataOptions, BlockDeviceMappings } = template?.properties.LaunchTemplateData as { MetadataOptions: unknown; BlockDeviceMappings: { Ebs: { Encrypted: boolean } }[] };
    assert.deepEqual(MetadataOptions, { HttpPutResponseHopLimit: 1, HttpTokens: "required" });
    assert.ok(BlockDeviceMappings.every(({ Ebs }) => Ebs.Encrypted));
    const { min, max } = { min: nodes?.properties.ScalingConfig.MinSize as number, max: nodes?.properties.ScalingConfig.MaxSize as number };
    assert.ok(min < max);
  });

  test(`${name}: the add-ons that functions and network policies need are there`, () => {
    const addOns = new Map(ofType(name, "AWS::EKS::Addon").map(({ properties }) => [properties.AddonName as string, properties]));
    for (const needed of ["eks-pod-identity-agent", "vpc-cni", "coredns", "kube-proxy", "metrics-server", "aws-ebs-csi-driver"]) assert.ok(addOns.has(needed), needed);
    assert.match(String(addOns.get("vpc-cni")?.ConfigurationValues), /"enableNetworkPolicy":"true"/);
  });
}
