// The functions that ship, and what each has a role, a login and a log group for. The names are
// those of the crates in `functions/`; a test compares.

/** A login of PostgreSQL, and the group of `shared/store/migrations/` that it is a member of. */
export interface Login {
  readonly user: string;
  readonly group: string;
}

interface Function {
  /** None for who uses no database, or the owner of the schema. */
  readonly login?: Login;
  /** Uses Redis. */
  readonly redis?: true;
  /** Signs the cursors of lists. */
  readonly cursors?: true;
}

export const FUNCTIONS = {
  "task-reader": { login: { user: "task_reader", group: "task_app_reader" }, redis: true, cursors: true },
  "task-writer": { login: { user: "task_writer", group: "task_app_writer" }, redis: true },
  "command-worker": { login: { user: "command_worker", group: "task_app_writer" }, redis: true },
  "outbox-relay": { login: { user: "outbox_relay", group: "task_app_relay" }, redis: true },
  "history-projector": {},
  "attachment-worker": { login: { user: "attachment_worker", group: "task_app_attachments" }, redis: true },
  "dead-letters": { login: { user: "task_operator", group: "task_app_operator" } },
  migrate: {},
  backup: { login: { user: "task_backup", group: "task_app_backup" } },
} as const satisfies Record<string, Function>;

export type FunctionName = keyof typeof FUNCTIONS;

export const FUNCTION_NAMES = Object.keys(FUNCTIONS) as FunctionName[];

export function describe(name: FunctionName): Function {
  return FUNCTIONS[name];
}

/** Commands of `backup` that run as pods only. Each has a role of its own, so that what writes dumps cannot read or delete them. */
export const BACKUP_COMMANDS = ["verify", "prune", "monitor"] as const;

export type BackupCommand = (typeof BACKUP_COMMANDS)[number];

/** The functions that log in to PostgreSQL as a user of their own. */
export const LOGINS = FUNCTION_NAMES.flatMap((name) => {
  const { login } = describe(name);
  return login ? [{ name, login }] : [];
});
