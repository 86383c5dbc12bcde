// What `cdk synth` wrote, for whoever reads it: tests, documents, the picture.

import { readdirSync, readFileSync } from "node:fs";
import { ENVIRONMENTS } from "../config/index.ts";

const FOLDER = new URL("../cdk.out/", import.meta.url);

export interface Resource {
  readonly stack: string;
  readonly id: string;
  readonly type: string;
  // Any JSON: who reads a property says what it expects.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly properties: any;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly deletionPolicy: string | undefined;
}

interface Template {
  readonly Resources: Readonly<
    Record<
      string,
      { Type: string; Properties?: unknown; Metadata?: Record<string, unknown>; DeletionPolicy?: string }
    >
  >;
}

export const NAMES = Object.keys(ENVIRONMENTS);

/** The manifest of an environment's stacks. */
export function manifest(environment: string): { missing?: unknown; artifacts: Record<string, { type: string; properties?: { stackName?: string; templateFile?: string } }> } {
  return JSON.parse(readFileSync(new URL(`assembly-${environment}/manifest.json`, FOLDER), "utf8")) as ReturnType<typeof manifest>;
}

/** All resources of an environment, in the order of its templates. */
export function resources(environment: string): Resource[] {
  const stacks = Object.values(manifest(environment).artifacts).filter(({ type }) => type === "aws:cloudformation:stack");
  return stacks.flatMap(({ properties }) => {
    const file = new URL(`assembly-${environment}/${properties?.templateFile ?? ""}`, FOLDER);
    const template = JSON.parse(readFileSync(file, "utf8")) as Template;
    return Object.entries(template.Resources).map(([id, resource]) => ({
      stack: properties?.stackName ?? "",
      id,
      type: resource.Type,
      properties: resource.Properties ?? {},
      metadata: resource.Metadata ?? {},
      deletionPolicy: resource.DeletionPolicy,
    }));
  });
}

/** Those of one type, which there must be. */
export function ofType(environment: string, type: string): Resource[] {
  const found = resources(environment).filter((resource) => resource.type === type);
  if (found.length === 0) throw new Error(`${environment} has no ${type}`);
  return found;
}

/** The report of the validations of the last synth. */
export function validationReport(): {
  pluginReports: { pluginName: string; violations: { ruleName: string; severity: string; description: string }[] }[];
} {
  if (!readdirSync(FOLDER).includes("validation-report.json")) throw new Error("cdk.out has no validation report");
  return JSON.parse(readFileSync(new URL("validation-report.json", FOLDER), "utf8")) as ReturnType<typeof validationReport>;
}
