# One image for every role of a lab; docker-compose.yml says which process plays which.
# Both stages need the package registries only while building.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
WORKDIR /podlab
COPY requirements requirements
COPY podlab/ops/build.py podlab/ops/build.py
RUN python3 podlab/ops/build.py --only-environment
COPY . .
RUN python3 podlab/ops/build.py

FROM ${BASE}
WORKDIR /podlab
COPY --from=build /podlab/.venv .venv
COPY manage.py manage.py
COPY templates templates
COPY --from=build /podlab/podlab podlab
COPY --from=build /podlab/static static
COPY --from=build /podlab/locale locale
ENV PATH=/podlab/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    MALLOC_ARENA_MAX=2 \
    DJANGO_SETTINGS_MODULE=podlab.settings \
    PODLAB_DATA=/var/lib/podlab
# The node workers talk to the Docker socket, which belongs to root; the other roles need no rights of their own.
ENV C_FORCE_ROOT=1
CMD ["python", "-m", "podlab.ops.server"]
