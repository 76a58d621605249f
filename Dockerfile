# An image of the server: docker build --tag ocp-mock-server . README.md, "In a container", shows how to run it.
FROM debian:12 AS build
WORKDIR /ocp-mock-server
COPY scripts/install_dependencies.sh scripts/
RUN scripts/install_dependencies.sh
COPY . .
RUN cmake --preset release -DBUILD_TESTING=OFF && cmake --build --preset release

FROM debian:12-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libcpp-httplib0.11 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /ocp-mock-server/build/release/ocp-mock-server /usr/local/bin/
# A number, because Kubernetes cannot tell by a name that this is not root.
USER 65534
ENV OCP_MOCK_HOST=0.0.0.0
EXPOSE 8080
HEALTHCHECK --interval=2s --timeout=2s --retries=15 CMD ["ocp-mock-server", "healthcheck"]
ENTRYPOINT ["ocp-mock-server"]
