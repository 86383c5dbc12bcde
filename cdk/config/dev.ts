import type { Settings } from "./settings.ts";

/** Small and cheap: a zone may be lost, and with it the environment for a while. */
export const dev: Settings = {
  account: "444455556666",
  region: "us-east-1",
  // RDS and Redis want two zones for their subnets, even where they use one.
  zones: ["us-east-1a", "us-east-1b"],
  network: {
    cidr: "10.20.0.0/16",
    natGateways: 1,
    endpointZones: "one",
    flowLogDays: 14,
    callers: ["203.0.113.0/24"],
  },
  domain: { name: "tasks.dev.example.com", zoneName: "dev.example.com", zoneId: "Z0000000000000DEV" },
  cluster: {
    version: "1.36",
    endpointCallers: ["203.0.113.0/24"],
    administrators: ["cluster-admin"],
    nodeTypes: ["t3.large", "t3a.large"],
    nodesMin: 1,
    nodesMax: 4,
    nodeDiskGib: 30,
  },
  database: {
    version: "17.9",
    instance: "t4g.small",
    multiAz: false,
    storageGib: 20,
    storageMaxGib: 50,
    backupDays: 7,
    insightsDays: 7,
    proxy: true,
    proxyConnectionPercent: 50,
    passwordDays: 30,
    deletionProtection: true,
  },
  redis: { version: "7.1", node: "cache.t4g.micro", replicas: 0, snapshotDays: 0 },
  files: { accessLogDays: 30, notifiedBy: "s3" },
  producers: ["arn:aws:iam::444455556666:role/task-producer"],
  images: { keep: 20 },
  github: { repository: "example/task-app", branch: "main", images: "built", promotion: "production", environment: "dev" },
  logs: { days: 14 },
  alarms: {
    email: "task-app-dev@example.com",
    queueAgeSeconds: 900,
    cpuPercent: 90,
    databaseFreeGib: 4,
    databaseConnections: 150,
    redisMemoryPercent: 80,
  },
  budget: { monthlyUsd: 450 },
};
