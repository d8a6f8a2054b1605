/** A file as its text, in Vite's notation; the build reads it with a loader of its own. */
declare module '*?raw' {
  const text: string;
  export default text;
}
