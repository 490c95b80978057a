// Starts Swagger UI on the document of this gateway.
window.addEventListener('DOMContentLoaded', () => {
  window.ui = SwaggerUIBundle({
    url: 'openapi.json',
    dom_id: '#viewer',
    layout: 'BaseLayout',
    presets: [SwaggerUIBundle.presets.apis],
    deepLinking: true,
    tryItOutEnabled: true,
    // Without this, browsers ask for a password of their own after a 401 that names Basic.
    requestInterceptor: (request) => Object.assign(request, {credentials: 'omit'}),
    displayRequestDuration: true,
    defaultModelsExpandDepth: -1, // each call shows its own schemas
    validatorUrl: null, // it is on another host
  });
});
