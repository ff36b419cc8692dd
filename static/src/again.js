// A question to the server that may be asked twice. A browser drops every request that is under way when the machine's
// network changes (Chromium: ERR_NETWORK_CHANGED), and where containers run it changes with each pod that begins or ends.

const PAUSES = [200, 1000]; // ms before each further try

// Like fetch(), for requests that change nothing. What the page itself gave up is not asked again.
export async function again(...question) {
  for (const pause of PAUSES) {
    try {
      return await fetch(...question);
    } catch (problem) {
      if (problem.name !== "TypeError") throw problem;
      await new Promise((done) => setTimeout(done, pause));
    }
  }
  return fetch(...question);
}
