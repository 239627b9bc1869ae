# SPDX-License-Identifier: MPL-2.0
"""What is on the wire: envelope in, envelope out, negotiation, CORS, uploads, listing parameters.

Everything here is a pure function of the request's bytes and headers, or of the answer's parts. Nothing reads the
database and nothing knows an endpoint.
"""
