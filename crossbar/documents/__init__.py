"""What is stored: documents, schemas, queries and the store, the only floor that speaks to the driver."""
