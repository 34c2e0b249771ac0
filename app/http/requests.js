// Requests to this server beside Bokeh's connection.

// Send JSON; resolves to the answer, rejects with one sentence.
export async function post(path, content) {
  return answerOf(fetch(path, {
    method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(content)}))
}

export async function ask(path) { return answerOf(fetch(path)) }

async function answerOf(request) {
  let response
  try {
    response = await request
  } catch {
    throw new Error("The server does not answer; is it running?")
  }
  const answer = await response.json().catch(() => ({error: `The server answered ${response.status}.`}))
  if (!response.ok) {
    const error = new Error(answer.error ?? `The server answered ${response.status}.`)
    throw Object.assign(error, {status: response.status})
  }
  return answer
}
