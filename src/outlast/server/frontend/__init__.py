"""The gRPC services: validate, route, convert. A handler over fifteen lines hides a rule."""
