# SPDX-License-Identifier: MPL-2.0
"""What is stored: documents, schemas, queries and the store, the only layer that speaks to the driver."""
