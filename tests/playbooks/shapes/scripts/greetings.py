def main(names, greeting="Hello"):
    return {"greetings": [f"{greeting}, {name}" for name in names], "total_greetings": len(names)}
