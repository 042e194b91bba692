"""A local API for trying and testing. It has its own copy of the API's rules, and imports only `errors` of ours."""
