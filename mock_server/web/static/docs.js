// Swagger UI prints each call as a curl command with the token in it: a token has no place on a screen.
const withoutCurl = () => ({ wrapComponents: { curl: () => () => null } });

SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#docs",
  plugins: [withoutCurl],
  validatorUrl: null, // its badge would ask another site
  persistAuthorization: false,
  deepLinking: true,
  tryItOutEnabled: true,
  showExtensions: true, // x-origin: where each fact comes from
});

// The style sheet has dark colours for who asks for them.
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();
