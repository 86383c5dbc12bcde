// Everything that may differ between environments, with its unit. docs/settings.md lists it, from
// these comments. What is the same in all of them stands where it is used.

/** One environment: an AWS account of its own, in one region. */
export interface Settings {
  /** The AWS account, 12 digits. Each environment has its own, so names are the same in all. */
  readonly account: string;
  /** The AWS region. */
  readonly region: string;
  /** The availability zones to use, by name. Named here, so that no synth looks them up. */
  readonly zones: readonly string[];
  readonly network: NetworkSettings;
  readonly domain: DomainSettings;
  readonly cluster: ClusterSettings;
  readonly database: DatabaseSettings;
  readonly redis: RedisSettings;
  readonly files: FileSettings;
  /** ARNs of the IAM roles that may send commands. */
  readonly producers: readonly string[];
  readonly images: ImageSettings;
  readonly github: GithubSettings;
  readonly logs: LogSettings;
  readonly alarms: AlarmSettings;
  readonly budget: BudgetSettings;
}

export interface NetworkSettings {
  /** Addresses of the VPC. Each zone gets a /24 public, a /20 private and a /24 isolated subnet. */
  readonly cidr: string;
  /** NAT gateways: as many as zones in production, so that a lost zone costs no other its egress. */
  readonly natGateways: number;
  /** Zones that have the interface endpoints: one is cheaper, all survive a lost zone. */
  readonly endpointZones: "one" | "all";
  /** Days for which flow logs are kept. */
  readonly flowLogDays: number;
  /** Addresses that may call the API through the load balancer. */
  readonly callers: readonly string[];
}

export interface DomainSettings {
  /** The name under which the API is served. Its certificate is for this name. */
  readonly name: string;
  /** The Route 53 zone that the name is in, which exists already: it validates the certificate. */
  readonly zoneName: string;
  /** The identifier of that zone. */
  readonly zoneId: string;
}

export interface ClusterSettings {
  /** The Kubernetes version of control plane and nodes. `manifests/` is validated against it. */
  readonly version: string;
  /** Addresses that reach the public endpoint of the control plane, besides the VPC. */
  readonly endpointCallers: readonly string[];
  /** Names of the IAM roles of this account that administer the cluster. */
  readonly administrators: readonly string[];
  /** Instance types of the nodes; all of one size, for the autoscaler to count with. */
  readonly nodeTypes: readonly string[];
  /** Nodes at least, over all zones. */
  readonly nodesMin: number;
  /** Nodes at most: the cluster autoscaler stays between both. */
  readonly nodesMax: number;
  /** GiB of the disk of a node: images and logs. */
  readonly nodeDiskGib: number;
}

export interface DatabaseSettings {
  /** PostgreSQL's version on RDS, with its minor version. The image's `pg_dump` must have this major version. */
  readonly version: string;
  /** The instance class, without `db.`. */
  readonly instance: string;
  /** A standby in a second zone, which takes over. */
  readonly multiAz: boolean;
  /** GiB of storage at first. */
  readonly storageGib: number;
  /** GiB that storage may grow to by itself. */
  readonly storageMaxGib: number;
  /** Days for which automated backups are kept, and within which any second can be restored. */
  readonly backupDays: number;
  /** Days for which Performance Insights keeps its figures; 7 are free. */
  readonly insightsDays: 7 | 31 | 93 | 731;
  /** RDS Proxy between Lambdas and PostgreSQL, so that connections do not grow with concurrency. */
  readonly proxy: boolean;
  /** Per cent of PostgreSQL's connections that the proxy may use; pods use the others. */
  readonly proxyConnectionPercent: number;
  /** Days after which passwords of functions are replaced. */
  readonly passwordDays: number;
  /** Refuse to delete the instance, until this is deployed as `false`: the first step of a teardown. */
  readonly deletionProtection: boolean;
}

export interface RedisSettings {
  /** The engine's version on ElastiCache. */
  readonly version: string;
  /** The node type. */
  readonly node: string;
  /** Replicas of the primary. With one or more, another zone takes over. */
  readonly replicas: number;
  /** Days for which daily snapshots are kept; 0 takes none. Everything in Redis may be lost. */
  readonly snapshotDays: number;
}

/** `s3` itself; `eventbridge`; or the ARN of a topic of Amazon SNS in this account and region. */
export type NotifiedBy = "s3" | "eventbridge" | `arn:${string}`;

export interface FileSettings {
  /** Days for which the access logs of buckets are kept. */
  readonly accessLogDays: number;
  /**
   * Who notifies the queue of uploaded files: `s3` itself; or, where other systems are to know of them, too, `eventbridge`, or the
   * ARN of an SNS topic of this account and region. docs/architecture/attachments.md says what a topic needs.
   */
  readonly notifiedBy: NotifiedBy;
}

export interface ImageSettings {
  /** Released images that are kept. A rollback finds as many. */
  readonly keep: number;
}

export interface GithubSettings {
  /** `owner/name` of the repository whose workflows may assume roles. */
  readonly repository: string;
  /** The branch that images are built of. */
  readonly branch: string;
  /** Where this environment's images are from: built of the branch, or promoted after an approval. */
  readonly images: "built" | "promoted";
  /** The GitHub environment whose approval a promotion needs: that of production, everywhere. */
  readonly promotion: string;
  /** The GitHub environment whose approval a deployment of this app needs. */
  readonly environment: string;
}

export interface LogSettings {
  /** Days for which logs of functions, cluster and servers are kept. */
  readonly days: number;
}

export interface AlarmSettings {
  /** Where alarms and budget warnings are sent. AWS asks the address for its consent, once. */
  readonly email: string;
  /** Seconds that the oldest message of a queue may wait. */
  readonly queueAgeSeconds: number;
  /** Per cent of a server's CPU, over a quarter of an hour. */
  readonly cpuPercent: number;
  /** GiB that PostgreSQL's storage must have free. */
  readonly databaseFreeGib: number;
  /** Connections to PostgreSQL. */
  readonly databaseConnections: number;
  /** Per cent of Redis's memory. */
  readonly redisMemoryPercent: number;
}

export interface BudgetSettings {
  /** US dollars a month. A warning is sent at 80 % spent, and when 100 % is forecast. */
  readonly monthlyUsd: number;
}
