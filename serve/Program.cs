Console.WriteLine("pure");
