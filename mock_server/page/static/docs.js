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
