"""The API for programs, version 1: everything that Trueup does, over HTTP and JSON."""
