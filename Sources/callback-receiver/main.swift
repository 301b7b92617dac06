print("callback-receiver")
