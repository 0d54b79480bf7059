/** An error response of the API: `{"error", "code", "request_id"}` (docs/api.md#errors). */
export class ApiProblem extends Error {
  override readonly name = "ApiProblem";

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly requestId: string,
    readonly retryAfterSeconds: number | null,
    readonly details: Record<string, unknown>,
  ) {
    super(message);
  }

  /** The request field that the API rejects, from the code `invalid_<field>`; null for any other error. */
  get field(): string | null {
    return this.code.startsWith("invalid_") ? this.code.slice("invalid_".length) : null;
  }
}

/** No response came: the network or the service cannot be reached. */
export class OfflineProblem extends Error {
  override readonly name = "OfflineProblem";

  constructor() {
    super("AstraLog cannot be reached. Check the connection, then try again.");
  }
}

/** The problem of a response that is not 2xx; the gateway's own responses have another form. */
export async function problemOf(response: Response): Promise<ApiProblem> {
  const body = await readObject(response);
  const text = (name: string): string | null => (typeof body[name] === "string" ? (body[name] as string) : null);
  const { error: _error, code: _code, request_id: _id, ...details } = body;
  const seconds = Number(response.headers.get("retry-after") ?? NaN);
  return new ApiProblem(
    response.status,
    text("code") ?? `http_${response.status}`,
    text("error") ?? text("message") ?? `The service answered ${response.status}.`,
    text("request_id") ?? response.headers.get("apigw-requestid") ?? "",
    Number.isFinite(seconds) ? seconds : null,
    details,
  );
}

async function readObject(response: Response): Promise<Record<string, unknown>> {
  try {
    const body: unknown = await response.json();
    return typeof body === "object" && body !== null && !Array.isArray(body) ? (body as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
