// Written by `python -m openapi.typescript`.

/** The accepted events are durable. */
export type AcceptedEvents = {
  "accepted": number;
  "rejected": number;
  "errors": (RejectedRecord)[];
  "status": "accepted";
};

export type AccountChangesForm = {
  "name"?: string | null;
  "email"?: string | null;
  "marketing_opt_in"?: boolean | null;
};

/** An account without an owner has no name, address and terms. `closes_at`: of a requested erasure. */
export type AccountProfile = {
  "tenant_id": string;
  "name": string | null;
  "email": string | null;
  "plan": string;
  "retention_days": number;
  "marketing_opt_in": boolean;
  "terms_version": string | null;
  "terms_accepted_at": string | null;
  "created_at": string | null;
  "closes_at": string | null;
};

/** The upload, and where to put the file: `headers` are part of the signature of `url`. */
export type AnnouncedUpload = {
  "id": string;
  "filename": string;
  "key": string;
  "size": number;
  "original": "delete" | "keep";
  "created_at": string;
  "state": "done" | "failed" | "loading" | "partly" | "reading" | "waiting";
  "format": string | null;
  "compression": string | null;
  "progress": number;
  "bytes_read": number;
  "rows_stored": number;
  "rows_refused": number;
  "refusals": (FileRejection)[];
  "error": FileError | null;
  "received_at": string | null;
  "updated_at": string;
  "url": string;
  "method": "PUT";
  "headers": { [name: string]: string };
  "expires_in": number;
  "bucket": string;
};

/** Announcements to the account and to all accounts, newest first. */
export type AnnouncementList = {
  "announcements": (ListedAnnouncement)[];
};

/** Entries, newest first; `next_cursor` is null on the last page. */
export type AuditEntries = {
  "entries": (AuditEntry)[];
  "next_cursor": string | null;
};

/** `actor` made the change from the address `from`; `subject` is the id of the changed thing. */
export type AuditEntry = {
  "id": string;
  "at": string;
  "actor": string;
  "action": string;
  "subject": string;
  "from": string;
  "user_agent": string;
};

/** Errors in Axiom's form, with our code. */
export type AxiomError = {
  "message": string;
  "code": string;
  "request_id": string;
};

/** A rejected event: the time of the response, and which event it was and why. */
export type AxiomFailure = {
  "timestamp": string;
  "error": string;
};

/** Axiom's: counts, and the first 1,000 rejected events; the last two are 0. */
export type AxiomStatus = {
  "ingested": number;
  "failed": number;
  "failures": (AxiomFailure)[];
  "processedBytes": number;
  "blocksCreated": number;
  "walLength": number;
};

/** From `start` up to, but excluding, `end`. */
export type BillingPeriod = {
  "start": string | null;
  "end": string | null;
};

/** `accepting`: whether logs are accepted; if not, `refusal` is the code of the 402. Others are null where they do not apply. `plans`: what is on sale. */
export type BillingState = {
  "plan": string;
  "status": string;
  "accepting": boolean;
  "refusal": string | null;
  "accepts_until": string | null;
  "capped_until": string | null;
  "period": BillingPeriod;
  "trial_ends_at": string | null;
  "ends_at": string | null;
  "ended_at": string | null;
  "owes_since": string | null;
  "grace_ends_at": string | null;
  "soft_cap_gb": number | null;
  "hard_cap_gb": number | null;
  "terms": PlanTerms | null;
  "plans": (PlanTerms)[];
};

/** `endpoint`: URL of an S3 service other than AWS. Either a role or an access key; both may be omitted on an update. */
export type BucketForm = {
  "name": string;
  "region": string;
  "endpoint"?: string | null;
  "role_arn"?: string | null;
  "access_key_id"?: string | null;
  "secret_access_key"?: string | null;
};

/** The budget that is used up: its searches have read more than `rows_a_minute`. */
export type BudgetProblem = {
  "budget": "account" | "key";
  "rows_a_minute": number;
};

/** A rejected request in Elasticsearch's form. */
export type BulkError = {
  "error": BulkErrorCause;
  "status": number;
};

/** An error with its causes. */
export type BulkErrorCause = {
  "type": string;
  "reason": string;
  "root_cause": (BulkProblem)[];
};

/** An error in Elasticsearch's form. */
export type BulkProblem = {
  "type": string;
  "reason": string;
};

export type CapsForm = {
  "soft_cap_gb"?: number | null;
  "hard_cap_gb"?: number | null;
};

/** `port`: port of the HTTP interface. */
export type ClickHouseForm = {
  "host": string;
  "port"?: number;
  "secure"?: boolean;
  "user"?: string | null;
  "password"?: string | null;
  "database": string;
};

export type ClosingForm = {
  "confirm"?: string | null;
};

/** A code is mailed, if the address has an account. */
export type CodeSent = {
  "status": "code_sent";
};

/** The request body. `position`: in characters from 0; the end of the text by default. */
export type CompleteBody = {
  "query"?: string;
  "position"?: number | null;
};

/** `insert` replaces the range of the completions; `detail` is a type, or help of one line. */
export type Completion = {
  "label": string;
  "insert": string;
  "kind": "field" | "function" | "keyword" | "nothing" | "pipe" | "value";
  "detail"?: string;
  "count"?: number | null;
};

/** Each completion's `insert` replaces the range. `stats`: of reading names and values. */
export type CompletionPage = {
  "replace": ReplacedRange;
  "completions": (Completion)[];
  "stats": SearchStats;
};

/** The mailed code, and the password of the sign-up. */
export type ConfirmationForm = {
  "email": string;
  "code": string;
  "password": string;
};

/** `confirm`: what to send. */
export type ConfirmationNeeded = {
  "confirm": string;
};

/** A code is mailed to the address, unless that would reveal who has an account. */
export type ConfirmationSent = {
  "status": "confirmation_sent";
};

/** The new account. */
export type ConfirmedSignUp = {
  "status": "confirmed";
  "tenant_id": string;
};

/** The events next to one, in ascending order; the flags say whether there are more. */
export type ContextReply = {
  "before": (FoundEvent)[];
  "event": FoundEvent;
  "after": (FoundEvent)[];
  "more_before": boolean;
  "more_after": boolean;
  "stats": SearchStats;
};

/** A login of our own page with its cookie. */
export type CookieLogin = {
  "cookie": true;
};

/** Errors in Datadog's form. */
export type DatadogErrors = {
  "errors": (DatadogProblem)[];
};

/** The key is valid. */
export type DatadogKeyCheck = {
  "valid": true;
};

/** One error in Datadog's form. */
export type DatadogProblem = {
  "status": string;
  "title": string;
  "detail": string;
};

/** Empty when every log was accepted. */
export type DatadogResult = {
  "accepted"?: number;
  "rejected"?: number;
  "errors"?: (RejectedRecord)[];
};

/** The whole body. `retention_days`: days until `expires_on` of a row. */
export type DestinationForm = {
  "bucket": BucketForm;
  "clickhouse": ClickHouseForm;
  "retention_days"?: number;
};

/** The stored destination and whether it works. */
export type DestinationWithHealth = {
  "version": number;
  "bucket": ShownBucket;
  "clickhouse": ShownClickHouse;
  "retention_days": number;
  "guarantee": string;
  "updated_at": string;
  "health": ShownHealth;
};

/** The oldest documents. `unreadable`: other objects between them. */
export type DocumentList = {
  "documents": (ListedDocument)[];
  "unreadable": (string)[];
};

export type EmailCodeForm = {
  "code": string;
};

/** The address of an account, or of none: the response is the same. */
export type EmailForm = {
  "email": string;
};

export type ErasureForm = {
  "field"?: string | null;
  "value"?: string | number | boolean | null;
  "account"?: boolean;
  "confirm"?: string | null;
};

/** The account's erasures. */
export type ErasureList = {
  "erasures": (ListedErasure)[];
};

/** The form of every error: branch on `code`, show `error` to people. `field` is the path of an invalid field, and `missing` lists all required fields that are missing. */
export type ErrorBody = {
  "error": string;
  "code": string;
  "request_id": string;
  "field"?: string;
  "missing"?: (string)[];
};

/** `rows` and `bytes` are upper bounds; `parts` of the table; `price_usd` of our ClickHouse alone. */
export type Estimate = {
  "rows": number;
  "bytes": number;
  "parts": number;
  "price_usd": number;
};

/** The response to a request with `dry_run=true`. */
export type EstimatePage = {
  "estimate": Estimate;
};

/** One event. */
export type EventReply = {
  "event": FoundEvent;
  "stats": SearchStats;
};

export type ExportForm = {
  "logs"?: ExportPeriodForm | null;
};

/** The account's data exports, newest first. */
export type ExportList = {
  "exports": (ListedExport)[];
};

export type ExportPeriodForm = {
  "from": string;
  "to": string;
};

/** The events from `from` up to, but excluding, `to`. */
export type ExportedPeriod = {
  "from": string;
  "to": string;
};

/** A field. `name`: as a query has it. `share`: of the sample's events. `distinct`: different values. */
export type FieldEntry = {
  "name": string;
  "types": ("array" | "boolean" | "null" | "number" | "object" | "string")[];
  "share": number;
  "distinct": number;
  "top": (TopValue)[];
};

/** The request body. `fields`: all by default. `store`: both of an account that has logs in two. */
export type FieldsBody = {
  "from"?: string | number | null;
  "to"?: string | number | null;
  "projects"?: (string)[];
  "services"?: (string)[];
  "levels"?: (string)[];
  "q"?: string;
  "query"?: string | null;
  "where"?: (Where)[];
  "trace_id"?: string | null;
  "time_zone"?: string;
  "fields"?: (string)[] | null;
  "values"?: number;
  "store"?: "byoc" | "managed" | null;
};

/** `rows`: all events that match. `truncated`: there are more fields than the response has. */
export type FieldsPage = {
  "fields": (FieldEntry)[];
  "truncated": boolean;
  "rows": number;
  "sampled_rows": number;
  "stats": SearchStats;
};

/** Why the file broke off. */
export type FileError = {
  "code": string;
  "reason": string;
};

/** A rejected record, counted from 0. */
export type FileRejection = {
  "index": number;
  "code": string;
  "reason": string;
};

/** Firehose's: the id of the request, and the time in milliseconds since 1970. */
export type FirehoseResult = {
  "requestId": string;
  "timestamp": number;
  "errorMessage"?: string;
};

/** The request body. */
export type FormatBody = {
  "query"?: string;
};

/** The same query, formatted. */
export type FormattedQuery = {
  "query": string;
};

/** One event; `metadata` is the sent JSON, byte for byte; `message_cut` is true or absent. `id`: null for an event that was stored without identity. */
export type FoundEvent = {
  "id": string | null;
  "timestamp": string;
  "received_at": string;
  "level": string;
  "service": string;
  "project_id": string;
  "message": string;
  "trace_id": string;
  "span_id": string;
  "metadata": unknown;
  "message_cut"?: boolean;
};

/** An error of API Gateway itself: the throttle of the route, a body that is too large, a fault. */
export type GatewayMessage = {
  "message": string;
};

/** The service answers. */
export type HealthStatus = {
  "status": "ok";
};

/** The request body. `store`: of an account that has logs in two (docs/byoc.md); both by default. */
export type HistogramBody = {
  "from"?: string | number | null;
  "to"?: string | number | null;
  "projects"?: (string)[];
  "services"?: (string)[];
  "levels"?: (string)[];
  "q"?: string;
  "query"?: string | null;
  "where"?: (Where)[];
  "trace_id"?: string | null;
  "time_zone"?: string;
  "interval"?: "10m" | "10s" | "12h" | "1d" | "1h" | "1m" | "1s" | "30m" | "30s" | "3h" | "5m" | "5s" | "auto";
  "split_by"?: string | null;
  "groups"?: number;
  "store"?: "byoc" | "managed" | null;
};

/** Counts by the buckets that start at `starts`. `other`: of all values without a series. */
export type HistogramPage = {
  "interval": "10m" | "10s" | "12h" | "1d" | "1h" | "1m" | "1s" | "30m" | "30s" | "3h" | "5m" | "5s";
  "from": string;
  "to": string;
  "starts": (string)[];
  "series": (Series)[];
  "other": (number)[] | null;
  "total": number;
  "stats": SearchStats;
};

/** All keys, newest first. */
export type KeyList = {
  "keys": (ListedKey)[];
};

/** A new key: `key` is its text, which is shown once. `replaced`: the key that was rotated. */
export type KeyWithText = {
  "id": string;
  "name": string;
  "prefix": string;
  "scopes": ("admin" | "ingest" | "read")[];
  "project_id": string;
  "state": "active" | "expired" | "revoked" | "rotating";
  "replaced_by": string | null;
  "created_at": string | null;
  "expires_at": string | null;
  "revoked_at": string | null;
  "last_used_at": string | null;
  "key": string;
  "replaced"?: ListedKey | null;
};

/** `effective_on`: the day on which a policy change takes effect. */
export type ListedAnnouncement = {
  "id": string;
  "at": string;
  "kind": string;
  "title": string;
  "text": string;
  "effective_on": string | null;
};

/** Rows that ClickHouse rejected together. `sample`: the first five, 500 characters of each. */
export type ListedDocument = {
  "id": string;
  "reason": string;
  "engine_code": number;
  "source": string;
  "positions": (number)[];
  "rows": number;
  "expires_on": string;
  "set_aside_at": string;
  "sample": (string)[];
};

/** An erasure. `field` and `value` are null for an account, and once it is verified. */
export type ListedErasure = {
  "id": string;
  "kind": "account" | "person";
  "state": "cancelled" | "requested" | "running" | "verified";
  "field": string | null;
  "value": string | null;
  "requested_at": string;
  "starts_at": string;
  "cancellable_until": string | null;
  "due_by": string;
  "cancelled_at": string | null;
  "verified_at": string | null;
  "waits_for": (string)[];
  "receipt": ShownReceipt | null;
};

/** A data export. `url`: a link to the archive, made for this response while the archive exists. */
export type ListedExport = {
  "id": string;
  "state": "expired" | "failed" | "ready" | "requested" | "running";
  "requested_at": string;
  "logs": ExportedPeriod | null;
  "ready_at": string | null;
  "bytes": number | null;
  "expires_at": string | null;
  "url"?: string;
  "url_expires_at"?: string;
};

/** An API key without its text. `replaced_by`: the id of the key that it was rotated to. */
export type ListedKey = {
  "id": string;
  "name": string;
  "prefix": string;
  "scopes": ("admin" | "ingest" | "read")[];
  "project_id": string;
  "state": "active" | "expired" | "revoked" | "rotating";
  "replaced_by": string | null;
  "created_at": string | null;
  "expires_at": string | null;
  "revoked_at": string | null;
  "last_used_at": string | null;
};

/** A file and how far it is read; docs/uploads.md explains the states. */
export type ListedUpload = {
  "id": string;
  "filename": string;
  "key": string;
  "size": number;
  "original": "delete" | "keep";
  "created_at": string;
  "state": "done" | "failed" | "loading" | "partly" | "reading" | "waiting";
  "format": string | null;
  "compression": string | null;
  "progress": number;
  "bytes_read": number;
  "rows_stored": number;
  "rows_refused": number;
  "refusals": (FileRejection)[];
  "error": FileError | null;
  "received_at": string | null;
  "updated_at": string;
};

/** The session ended. */
export type LoggedOut = {
  "status": "logged_out";
};

/** `expires_in`: seconds until `access_token` expires. */
export type LoginTokens = {
  "access_token": string;
  "refresh_token": string | null;
  "expires_in": number;
  "token_type": "Bearer";
};

/** `refresh_token`: this session's, to revoke it too; with `cookie` it is the cookie's, which is deleted. `everywhere`: every session of the person ends. */
export type LogoutForm = {
  "refresh_token"?: string | null;
  "cookie"?: boolean;
  "everywhere"?: boolean;
};

export type NewKeyForm = {
  "scopes": ("admin" | "ingest" | "read")[];
  "name"?: string;
  "project_id"?: string;
  "expires_at"?: string | null;
  "expires_in_days"?: number | null;
};

/** `from` and `to`: an age such as `-1h`, or RFC 3339; `to` is null for now. */
export type NewSearchForm = {
  "name": string;
  "query"?: string;
  "from"?: string;
  "to"?: string | null;
  "view"?: "lines" | "patterns";
  "columns"?: (string)[];
  "compare"?: boolean;
  "wrap"?: boolean;
};

/** The body of a `POST /v1/search` that finds the events of the trace that are not shown. */
export type NextSearch = {
  "trace_id": string;
  "from": string;
  "to": string;
  "order": string;
  "cursor": string;
};

/** OTLP's: how many records were rejected, as a decimal text, and why the first one was. */
export type OtlpPartialSuccess = {
  "rejectedLogRecords": string;
  "errorMessage": string;
};

/** ExportLogsServiceResponse in JSON. */
export type OtlpResult = {
  "partialSuccess"?: OtlpPartialSuccess;
};

/** `password` is the current one. */
export type PasswordChangeForm = {
  "password": string;
  "new_password": string;
};

/** All sessions ended. */
export type PasswordChanged = {
  "status": "password_changed";
};

/** A login with a password; with `cookie` from our own page, the refresh token goes into its cookie. */
export type PasswordLogin = {
  "email": string;
  "password": string;
  "cookie"?: boolean;
};

/** A pattern of messages; `<*>` in the template stands for what varies. `count` is estimated when the sample has not all events; `share` is of all that match. `query` is a filter that finds the examples; null when none is proven. `before` is the count in the compared range, and `change` is from it to `count`, by the lengths of the ranges; null without one. */
export type PatternReply = {
  "template": string;
  "count": number;
  "share": number;
  "query": string | null;
  "examples": (FoundEvent)[];
  "before": number | null;
  "change": "fallen" | "gone" | "new" | "risen" | "same" | null;
};

/** The request body. `compare_from`, `compare_to`: a second range, as long as the first by default. `store`: of an account that has logs in two; both by default. */
export type PatternsBody = {
  "from"?: string | number | null;
  "to"?: string | number | null;
  "projects"?: (string)[];
  "services"?: (string)[];
  "levels"?: (string)[];
  "q"?: string;
  "query"?: string | null;
  "where"?: (Where)[];
  "trace_id"?: string | null;
  "time_zone"?: string;
  "limit"?: number;
  "compare_from"?: string | number | null;
  "compare_to"?: string | number | null;
  "store"?: "byoc" | "managed" | null;
};

/** Patterns, and of how many events; `before_rows` and `before_sampled_rows` are of the compared range. */
export type PatternsReply = {
  "patterns": (PatternReply)[];
  "rows": number;
  "sampled_rows": number;
  "before_rows": number | null;
  "before_sampled_rows": number | null;
  "stats": SearchStats;
};

export type PlanForm = {
  "plan": "byoc" | "managed_15" | "managed_30";
};

/** What a plan includes and costs. A gigabyte is 10^9 bytes. */
export type PlanTerms = {
  "plan": string;
  "title": string;
  "retention_days": number;
  "included_gb": number;
  "currency": string;
  "monthly_cents": number;
  "cents_a_gb": number;
};

/** An erasure as shown to a caller who has its id only. */
export type PublicErasure = {
  "id": string;
  "kind": "account" | "person";
  "state": "cancelled" | "requested" | "running" | "verified";
  "requested_at": string;
  "starts_at": string;
  "due_by": string;
  "receipt": ShownReceipt | null;
};

/** The place of an error in a query: `column` counts characters from 1; `caret` marks it in its line. */
export type QueryProblem = {
  "field": string;
  "column": number;
  "expected": (string)[];
  "caret": string;
};

/** A login with the refresh token of an earlier one. */
export type RefreshLogin = {
  "refresh_token": string;
};

/** A rejected event, by its index in the body, from 0; docs/api.md lists the codes. */
export type RejectedRecord = {
  "index": number;
  "code": string;
  "reason": string;
};

/** The result of a request; `errors` describes the first 1,000 rejected events. */
export type RejectionCounts = {
  "accepted": number;
  "rejected": number;
  "errors": (RejectedRecord)[];
};

/** From `start` (inclusive) to `end` (exclusive), in characters. */
export type ReplacedRange = {
  "start": number;
  "end": number;
};

/** `rows` rows are staged again. */
export type ReplayStarted = {
  "status": "replayed";
  "rows": number;
};

/** An export that was stored. */
export type RequestedSearchExport = {
  "id": string;
  "status": "expired" | "failed" | "ready" | "requested" | "running";
};

/** The mailed code, and the new password. */
export type ResetForm = {
  "email": string;
  "code": string;
  "password": string;
};

/** What a cross-account role needs; the two policies are IAM documents. */
export type RoleSetup = {
  "account_id": string;
  "external_id": string;
  "role_name": string;
  "trust_policy": { [name: string]: unknown };
  "permission_policy": { [name: string]: unknown };
};

export type RotationForm = {
  "overlap_hours"?: number;
  "expires_at"?: string | null;
  "expires_in_days"?: number | null;
};

/** google.rpc.Status in JSON. */
export type RpcStatus = {
  "code": number;
  "message": string;
  "details": (unknown)[];
};

/** All saved searches of the account, by name. */
export type SavedSearchList = {
  "searches": (SavedSearchReply)[];
};

/** A saved search. `path`: its short link, a page of the dashboard. `created_by`: as in the audit trail. `from` and `to`: an age such as `-1h`, or RFC 3339; `to` is null for now. */
export type SavedSearchReply = {
  "id": string;
  "path": string;
  "name": string;
  "query": string;
  "from": string;
  "to": string | null;
  "view": "lines" | "patterns";
  "columns": (string)[];
  "compare": boolean;
  "wrap": boolean;
  "created_at": string;
  "created_by": string;
  "updated_at": string;
};

/** The request body of a search. */
export type SearchBody = {
  "from"?: string | number | null;
  "to"?: string | number | null;
  "projects"?: (string)[];
  "services"?: (string)[];
  "levels"?: (string)[];
  "q"?: string;
  "query"?: string | null;
  "where"?: (Where)[];
  "trace_id"?: string | null;
  "time_zone"?: string;
  "order"?: "asc" | "desc";
  "limit"?: number;
  "cursor"?: string | null;
};

/** Fields that are left out stay as they are. */
export type SearchChangesForm = {
  "name"?: string;
  "query"?: string;
  "from"?: string;
  "to"?: string | null;
  "view"?: "lines" | "patterns";
  "columns"?: (string)[];
  "compare"?: boolean;
  "wrap"?: boolean;
};

/** The request body of an export: the filter of a search, and the file's format. */
export type SearchExportBody = {
  "from"?: string | number | null;
  "to"?: string | number | null;
  "projects"?: (string)[];
  "services"?: (string)[];
  "levels"?: (string)[];
  "q"?: string;
  "query"?: string | null;
  "where"?: (Where)[];
  "trace_id"?: string | null;
  "time_zone"?: string;
  "format"?: "csv" | "ndjson" | "parquet";
  "compression"?: "gzip" | "none";
};

/** The newest exports of the last 30 days, without links. */
export type SearchExportList = {
  "exports": (ShownSearchExport)[];
};

/** One page of events; `next_cursor` is null on the last page. */
export type SearchPage = {
  "events": (FoundEvent)[];
  "next_cursor": string | null;
  "stats": SearchStats;
};

/** The cost of a search, of all its statements in all stores. `partial` is always false: a search that reaches a limit fails instead of returning a part of its result. */
export type SearchStats = {
  "rows_read": number;
  "bytes_read": number;
  "elapsed_ms": number;
  "partial"?: false;
};

/** The counts of one value: null for events without the field, and for all events without `split_by`. */
export type Series = {
  "value": string | null;
  "counts": (number)[];
};

/** The bucket, without its secret. */
export type ShownBucket = {
  "name": string;
  "region": string;
  "endpoint": string | null;
  "access_key_ends_with": string | null;
  "role_arn": string | null;
};

/** The ClickHouse, without user and password. */
export type ShownClickHouse = {
  "host": string;
  "port": number;
  "secure": boolean;
  "database": string;
};

/** `since`: null for a destination that has never failed. `reason`: a reason code. */
export type ShownHealth = {
  "state": "failing" | "ok";
  "since": string | null;
  "reason": string | null;
};

/** The receipt of a verified erasure, without personal data; see docs/privacy.md. */
export type ShownReceipt = {
  "number": number;
  "previous": string;
  "kind": "account" | "person";
  "account": string;
  "person": string | null;
  "requested_at": string;
  "verified_at": string;
  "backups_until": string;
  "counts": { [name: string]: number };
  "hash": string;
};

/** An export; times in RFC 3339. `rows` and `bytes` are those written so far. `link` fetches the file until `link_expires_at`; each request for one export makes a new one. The file is deleted at `expires_at`. `reason`: why it failed, or what delays it. */
export type ShownSearchExport = {
  "id": string;
  "status": "expired" | "failed" | "ready" | "requested" | "running";
  "format": "csv" | "ndjson" | "parquet";
  "compression": "gzip" | "none";
  "from": string;
  "to": string;
  "query": string | null;
  "requested_at": string;
  "rows": number;
  "bytes": number;
  "link": string | null;
  "link_expires_at": string | null;
  "expires_at": string | null;
  "reason": string | null;
};

/** `accept_terms` must be true. */
export type SignUpForm = {
  "name": string;
  "email": string;
  "password": string;
  "accept_terms": boolean;
  "marketing_opt_in"?: boolean;
};

/** By id; all are true, because a 200 means that the events are durable. */
export type SplunkAckStates = {
  "acks": { [name: string]: true };
};

/** Ids to ask for. */
export type SplunkAcks = {
  "acks": (number)[];
};

/** Splunk's: code 0 is success. With rejected events, `errors` describes them. */
export type SplunkResult = {
  "text": string;
  "code": number;
  "invalid-event-number"?: number;
  "ackId"?: number;
  "accepted"?: number;
  "rejected"?: number;
  "errors"?: (RejectedRecord)[];
};

/** The request body. `store`: of an account that has logs in two (docs/byoc.md). */
export type StatsBody = {
  "from"?: string | number | null;
  "to"?: string | number | null;
  "projects"?: (string)[];
  "services"?: (string)[];
  "levels"?: (string)[];
  "q"?: string;
  "query"?: string | null;
  "where"?: (Where)[];
  "trace_id"?: string | null;
  "time_zone"?: string;
  "store"?: "byoc" | "managed" | null;
};

/** A column of a table. */
export type StatsColumn = {
  "name": string;
  "type": "number" | "text" | "time";
};

/** The table that a query makes; `truncated`: it had more rows than a response has. */
export type StatsTable = {
  "columns": (StatsColumn)[];
  "rows": ((string | number | null)[])[];
  "truncated": boolean;
  "stats": SearchStats;
};

/** The stored destination and the steps that it passed. */
export type StoredDestination = {
  "version": number;
  "bucket": ShownBucket;
  "clickhouse": ShownClickHouse;
  "retention_days": number;
  "guarantee": string;
  "updated_at": string;
  "steps": (TestStep)[];
};

/** A page of Stripe, to open in a browser. */
export type StripePage = {
  "url": string;
};

/** Events in the order of their commits, and the cursor of the next request. */
export type TailReply = {
  "events": (FoundEvent)[];
  "cursor": string;
  "stats": SearchStats;
};

/** `guarantee`: of a usable destination. */
export type TestReport = {
  "usable": boolean;
  "guarantee": "at_least_once" | "exactly_once" | null;
  "steps": (TestStep)[];
};

/** One step of a test: `ok`, or `skipped`. `fix` says what to do. */
export type TestStep = {
  "step": string;
  "detail": string;
  "fix": string | null;
  "ok"?: boolean;
  "skipped"?: true;
};

/** A value, and how many events of the sample have it. */
export type TopValue = {
  "value": string | number | boolean | null;
  "count": number;
};

/** A trace: its events in order, and their spans. `from` and `to` are the first and the last moment of the shown events. `truncated`: there are further events, which a search with the body `next_search` finds. */
export type TraceReply = {
  "trace_id": string;
  "from": string;
  "to": string;
  "duration_ms": number;
  "services": (string)[];
  "spans": (TraceSpan)[];
  "events": (FoundEvent)[];
  "truncated": boolean;
  "next_search": NextSearch | null;
  "stats": SearchStats;
};

/** The events of one `span_id` and service; `level` is the worst of them. `start` is the earliest moment of its events, less their durations, and `end` the latest. */
export type TraceSpan = {
  "span_id": string;
  "service": string;
  "start": string;
  "end": string;
  "duration_ms": number;
  "events": number;
  "level": string;
};

export type UploadForm = {
  "filename": string;
  "size": number;
  "original"?: "delete" | "keep" | null;
};

/** A page of files, newest first; `next_cursor` is null on the last page. */
export type UploadList = {
  "uploads": (ListedUpload)[];
  "next_cursor": string | null;
};

/** `bucket`, `prefix`: where to put files that are not announced. `original`: their setting. */
export type UploadSettings = {
  "original": "delete" | "keep";
  "bucket": string;
  "prefix": string;
};

export type UploadSettingsForm = {
  "original": "delete" | "keep";
};

/** Rows and bytes received on a UTC day. */
export type UsageOfDay = {
  "day": string;
  "rows": number;
  "bytes": number;
};

/** Usage of the billing period. `estimate_cents`: null without a live subscription. */
export type UsagePeriod = {
  "start": string;
  "end": string;
  "bytes": number;
  "included_bytes": number | null;
  "soft_cap_bytes": number | null;
  "hard_cap_bytes": number | null;
  "estimate_cents": number | null;
  "currency": string;
};

/** Days from `from` to `to`, both included. */
export type UsageReport = {
  "from": string;
  "to": string;
  "days": (UsageOfDay)[];
  "period": UsagePeriod;
  "capped_until": string | null;
};

/** The event is processed. */
export type WebhookReceived = {
  "received": true;
};

/** One condition as it was sent. */
export type Where = {
  "field": string;
  "op": "contains" | "eq" | "exists" | "gt" | "gte" | "in" | "lt" | "lte" | "ne";
  "value"?: unknown;
};
