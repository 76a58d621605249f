# An image of the server: docker build --tag ocp-mock-server . docs/containers.md shows how to run it.
FROM debian:12 AS build
WORKDIR /ocp-mock-server
COPY scripts/install_dependencies.sh scripts/
RUN scripts/install_dependencies.sh
COPY . .
RUN scripts/package.sh archive /out && scripts/package.sh root /root-of-image /out/*.tar.gz

FROM scratch
COPY --from=build /root-of-image/ /
# A number, because Kubernetes cannot tell by a name that this is not root.
USER 65534
ENV PATH=/bin
ENV OCP_MOCK_HOST=0.0.0.0
EXPOSE 8080
HEALTHCHECK --interval=2s --timeout=2s --retries=15 CMD ["ocp-mock-server", "healthcheck"]
ENTRYPOINT ["ocp-mock-server"]
