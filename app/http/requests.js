// Requests to this server beside Bokeh's connection.

// Why a request failed, as one sentence; `status` is undefined where no answer came.
export class ServerError extends Error {
  constructor(message, status, retryAfterMs = 0) {
    super(message)
    this.status = status
    this.retryAfterMs = retryAfterMs
  }

  // Whether the same request may succeed later: the server is away, or has too much to do.
  get passing() { return this.status === undefined || [429, 502, 503, 504].includes(this.status) }
}

// Send JSON; resolves to the answer, rejects with a ServerError, after `patienceMs` at the latest.
export async function post(path, content, patienceMs = null) {
  return answerOf(fetch(path, {
    method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(content),
    signal: patienceMs === null ? null : AbortSignal.timeout(patienceMs)}))
}

export async function ask(path) { return answerOf(fetch(path)) }

async function answerOf(request) {
  let response
  try {
    response = await request
  } catch (error) {
    throw new ServerError(error.name === "TimeoutError" ? "The server takes too long to answer."
      : "The server does not answer; is it running?")
  }
  const answer = await response.json().catch(() => ({error: `The server answered ${response.status}.`}))
  if (!response.ok) {
    throw new ServerError(answer.error ?? `The server answered ${response.status}.`, response.status,
      1000 * (Number(response.headers.get("Retry-After")) || 0))
  }
  return answer
}
