"""A local API for trying and testing. It knows the API's rules and shares no comparison or patch code.

Only `server` and the modules below it need the libraries of the extra `sandbox`; `settings` imports cheaply.
"""
