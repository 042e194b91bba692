"""A local API for trying and testing. It knows the API's rules and shares no comparison or patch code."""
