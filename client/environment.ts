/** The environment of this process: the one place of the client that looks at it. */

/** What a caller gets who gives no environment of its own. */
// biome-ignore lint/style/noProcessEnv: handed on from here as a value
export const processEnvironment: NodeJS.ProcessEnv = process.env;
