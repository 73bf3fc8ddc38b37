"""What a push costs the process that sends it, beside other clients of APNs and FCM."""
