"""A local API for trying and testing. It knows the API's rules by itself; of our other rooms it uses `errors` alone."""
