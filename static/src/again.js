// A question to the server that may be asked twice. Chromium drops the requests that wait for a connection when an address
// of the machine comes or goes (ERR_NETWORK_CHANGED), and where containers run their networks come and go.

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
