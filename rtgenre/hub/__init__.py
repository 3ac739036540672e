"""One page and one history for many machines, from what each of them publishes over MQTT."""
