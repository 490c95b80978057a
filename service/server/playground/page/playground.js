// Starts Swagger UI on the document of this gateway.
window.addEventListener('DOMContentLoaded', () => {
  window.ui = SwaggerUIBundle({
    url: 'openapi.json',
    dom_id: '#viewer',
    layout: 'BaseLayout',
    presets: [SwaggerUIBundle.presets.apis],
    deepLinking: true,
    tryItOutEnabled: true,
    displayRequestDuration: true,
    defaultModelsExpandDepth: -1, // each call shows its own schemas
    validatorUrl: null, // it is on another host
  });
});
