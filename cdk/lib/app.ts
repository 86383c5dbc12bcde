// The app: every environment, checked by cdk-nag whenever it is synthesized.

import { readFileSync } from "node:fs";
import { App, type AppProps, Validations } from "aws-cdk-lib";
import { AwsSolutionsChecks } from "cdk-nag";
import type { Settings } from "../config/settings.ts";
import { Environment } from "./environment.ts";

const CDK_JSON = new URL("../cdk.json", import.meta.url);

/** With the feature flags of `cdk.json`, which only the command line would read: tests have them too. */
export function createApp(environments: Readonly<Record<string, Settings>>, props: AppProps = {}): App {
  const { context } = JSON.parse(readFileSync(CDK_JSON, "utf8")) as { context: Record<string, unknown> };
  const app = new App({ ...props, context });
  for (const [name, settings] of Object.entries(environments)) new Environment(app, name, settings);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return app;
}
