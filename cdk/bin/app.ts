// `cdk synth` makes the templates of every environment; `cdk deploy 'dev/*'` deploys one.

import { ENVIRONMENTS } from "../config/index.ts";
import { createApp } from "../lib/app.ts";

createApp(ENVIRONMENTS).synth();
